// Runs a chain on LibTorch as it is written: the subject of every witness. What LibTorch throws becomes data.
// Includes no LibTorch itself; execute.cpp drives it.
#pragma once

#include <map>

#include "harness/operand.hpp"
#include "harness/outcome.hpp"
#include "harness/typing.hpp"

namespace gradsmith {

class Reached;

/// Values and gradients, or the refusal. `implied_roots`: roots of the implied backward (empty: none).
/// Gradients named by `wrt` are copies, so that two of them never share memory. With `reached`, what LibTorch did inside
/// is noted there; that changes nothing of the outcome.
Outcome execute(const Chain& chain, const std::vector<Value>& implied_roots, Reached* reached = nullptr);

/// What a chain costs without the implied backward, nothing read back; up to the refusal, if there is one.
Cost execute_cost(const Chain& chain);

/// Real layouts of all named tensors after the chain ran (for the audit of the typer); empty where undefined.
std::vector<std::optional<Layout>> execute_layouts(const Chain& chain);

/// The operands of every step as it finds them, by name; by statement. Empty from a refusal on.
std::vector<std::map<Value, Operand>> execute_operands(const Chain& chain);

/// Bare forward and backward without reading anything back: the denominator of the benchmark.
void execute_bare(const Chain& chain, const std::vector<Value>& implied_roots);

/// Runs the chain, frees what its history saved and takes that off every named tensor before they go: what a cycle through a
/// tensor and its history keeps alive is freed then, all other leaks stay.
void execute_severed(const Chain& chain, const std::vector<Value>& implied_roots);

}  // namespace gradsmith
