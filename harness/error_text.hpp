// What a message must say, and must not, to be a certain error: for programs that check it without GradSmith. The ids
// are those of autograd.md. Knows texts only.
#pragma once

#include <string_view>
#include <vector>

namespace gradsmith {

/// The fragments by which an id is recognised, one for each form of its text; empty for an unknown id.
std::vector<std::string_view> error_fragments(std::string_view id);
/// The fragment of another id that contains one of this id's: a message with it is no message of this id. Empty if
/// none.
std::string_view containing_fragment(std::string_view id);

}  // namespace gradsmith
