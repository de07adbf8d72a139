// Shape rules of the view ops, one per op of view.cpp: the layout that LibTorch's result has inside the storage of
// operand 0, or why the call is no program. Knows no LibTorch.
#pragma once

#include "harness/op.hpp"

namespace gradsmith::ops::view_shapes {

Shaped view(const Call& call);
Shaped narrow(const Call& call);
Shaped select(const Call& call);
Shaped slice(const Call& call);
Shaped transpose(const Call& call);
Shaped t(const Call& call);
Shaped permute(const Call& call);
Shaped unsqueeze(const Call& call);
Shaped squeeze(const Call& call);
Shaped expand(const Call& call);
Shaped flatten(const Call& call);
Shaped diagonal(const Call& call);
Shaped split(const Call& call);
Shaped chunk(const Call& call);
Shaped unbind(const Call& call);
Shaped detach(const Call& call);

}  // namespace gradsmith::ops::view_shapes
