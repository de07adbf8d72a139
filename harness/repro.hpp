// A chain as a stand-alone program against plain LibTorch or PyTorch: inputs written out, every op in its natural
// spelling, and assertions of what is right. The program ends with 0 where LibTorch is right and with 1, after saying
// what was observed and what was expected, where it is not. Pure functions; knows chains, types, the model and the
// reference, never asks LibTorch: what the program asserts is what must come, not what came.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/outcome.hpp"
#include "harness/reference.hpp"
#include "harness/typing.hpp"
#include "harness/witness.hpp"

namespace gradsmith {

enum class Language : std::uint8_t { cpp, python };

/// How a program differentiates: as in the chain, in forward mode without any backward, or twice. None: numbers and errors,
/// which are what programs assert, do not show the finding.
enum class Mode : std::uint8_t { reverse, forward, second, none };
/// The mode in which a finding of this kind shows.
Mode mode_of(FindingKind kind);
/// The mode of a stored chain, by the finding that its header expects.
Mode mode_of(const Chain& chain);

/// What must come of a chain, by the model and the reference alone.
struct Answer {
  Mode mode = Mode::reverse;
  Expectation expectation{};   ///< in that mode
  std::vector<Value> roots{};  ///< of the implied backward; empty: none
  Reference reference{};       ///< with the spread of all replicas; empty where numbers are not asserted
  std::string open{};  ///< why no numbers are asserted (refused, a known hole, a branch that rounding decides); else ""
  Tangents along{};    ///< in forward mode tangents of the leaves, for a second derivative its direction
  std::vector<std::optional<Spread>> directed{};  ///< by Value: tangents at the end, or second derivatives of the leaves
};
/// Runs the model and the reference over a typed chain. Deterministic.
Answer answer_of(const Chain& chain, const Typed& typed, Mode mode = Mode::reverse);

/// The tensors whose final values say something, in order: all that the reference has, but inputs that nothing writes.
std::vector<Value> telling_values(const Chain& chain, const Typed& typed, const Answer& answer);

/// What the head of a program says besides the chain.
struct ReproTitle {
  std::string shows{};     ///< one line: the headline of a finding, or what must come
  std::string versions{};  ///< what it was seen with, "GradSmith 0.1.0, LibTorch 2.11.0 (AVX2)"
};

/// Why no program can be written: a finding that it could not show, an op that is none of LibTorch's (a planted one),
/// `create_graph`, or a gradient with a name in forward mode. Empty if one can.
std::string no_repro(const Chain& chain, Mode mode);

/// The program, a whole file. The chain must be one that `no_repro` has nothing against.
std::string repro_cpp(const Chain& chain, const Typed& typed, const Answer& answer, const ReproTitle& title);
std::string repro_python(const Chain& chain, const Typed& typed, const Answer& answer, const ReproTitle& title);

/// Both programs of a chain under the file names they are stored by ("repro.cpp", "repro.py"); none if there can be
/// none.
struct ReproFile {
  std::string name{}, text{};
};
std::vector<ReproFile> repro_files(const Chain& chain, Mode mode, const ReproTitle& title);

}  // namespace gradsmith
