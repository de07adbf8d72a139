// The `device` witness: the chain again on an accelerator. It must be refused where the CPU's run was, with the same error, and
// give the same values and gradients within what rounding can do. Knows the executor and the reference; no LibTorch.
#pragma once

#include <optional>
#include <string>

#include "harness/outcome.hpp"
#include "harness/reference.hpp"
#include "harness/typing.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

/// A chain that was run on the CPU, and what is known of it.
struct DeviceCase {
  const Chain& chain;
  const Typed& typed;
  const std::vector<Value>& roots;
  const Outcome& cpu;
  const Expectation& expected;
  const std::string& device;
  int runs = 1;          ///< on the device, at least; more only to tell what changes from run to run
  bool reduced = false;  ///< TF32 and the like are on
};

/// What the device says. `reference` is null where numbers cannot be judged (a refusal was due, a known hole): only errors are
/// compared then. Else it may be widened by more replicas.
///
/// An element disagrees if it departs both from the reference and from the CPU's number, by more than rounding can do: two
/// votes, so that a defect that both devices share is left to the other witnesses, and one that only the CPU has as well. So is
/// a refusal that neither the CPU nor the model has.
/// Two runs on the device need not give the same bits; how far they are apart is added to the tolerance, and beyond the
/// tolerance itself is `nondeterminism`.
/// Where a kernel may lay its result out otherwise than the CPU's (log_sigmoid), either way is right; a chain that is no program
/// in the device's way (`view` of what is not contiguous there) is inconclusive.
/// A run that DeviceAhead has made of this very chain is used.
Testimony device_testimony(const DeviceCase& c, Reference* reference);

}  // namespace gradsmith
