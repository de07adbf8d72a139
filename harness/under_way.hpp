// The step that LibTorch is running right now, for whoever has to say what a process died of. Knows no LibTorch.
#pragma once

#include "harness/chain.hpp"
#include "harness/op.hpp"

namespace gradsmith {

namespace detail {
inline thread_local const Step* volatile under_way = nullptr;
}

/// Of this thread; null between steps and in a backward. Safe in a signal handler.
inline const Step* step_under_way() { return detail::under_way; }

/// Says that a step is under way while it lives.
class UnderWay {
 public:
  explicit UnderWay(const Step& step) { detail::under_way = &step; }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { detail::under_way = nullptr; }
};

/// In a `Child` (process.hpp): from now on its last words at a deadly signal are the op under way, in its form; also
/// when its parent gives up on it. Does nothing in other processes. `guard` has better words for some deaths: it comes
/// later.
void name_op_at_death();

}  // namespace gradsmith
