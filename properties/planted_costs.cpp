// Planted faults that no number shows: bytes that nobody asked for, and time that nothing explains.
#include <algorithm>
#include <chrono>

#include "properties/planted_ops.hpp"

namespace gradsmith::plant {
namespace {

using T = const at::Tensor&;
using Clock = std::chrono::steady_clock;

/// -x, which keeps nothing and needs nothing.
Op negation(std::string_view name, void (*inplace)(const Actuals&)) {
  return {.name = name,
          .params = {ops::tensor()},
          .maths = ops::elementwise([](const Var& x, const Args&) { return -x; }),
          .pure = [](const Actuals& a) { return a[0].neg(); },
          .inplace = inplace};
}

at::Tensor with_hidden_copy(const Actuals& a) {
  const at::Tensor copy = a[0].detach().clone();  // alive while the result is made
  return a[0].sin();
}

const Unary keeps_clone{[](T x) { return x.neg(); }, [](T grad, T) { return -grad; }, Keeps::copy_of_operand};

/// Runs `call`, then waits until 60 us have passed, some thirty times what such a step takes in all, or 40 times what it took:
/// on a busy machine, too, it is slow.
template <class Call>
void dawdle(const Call& call) {
  const auto start = Clock::now();
  call();
  const Clock::duration least = std::chrono::microseconds(60), most = std::chrono::milliseconds(2);
  const Clock::duration slow = std::clamp(40 * (Clock::now() - start), least, most);
  while (Clock::now() - start < slow) {
  }
}

at::Tensor slow_if_strided(const Actuals& a) {
  at::Tensor result;
  const auto call = [&] { result = a[0].sin(); };
  if (a[0].is_contiguous())
    call();
  else
    dawdle(call);
  return result;
}

}  // namespace

std::vector<const Op*> costs() {
  static Op table[] = {
      sin_entry("bad_sin_hidden_copy", with_hidden_copy),
      negation("bad_neg_keeps_clone", [](const Actuals& a) { call_inplace(keeps_clone, a[0]); }),
      negation("bad_neg_slow", [](const Actuals& a) { dawdle([&] { a[0].neg_(); }); }),
      sin_entry("bad_sin_slow_strided", slow_if_strided),
  };
  return ops::entries(table);
}

}  // namespace gradsmith::plant
