// Many stand-alone programs compiled and run as one, for the tests: an ATen include costs more than a hundred programs.
#pragma once

#include <string>
#include <vector>

#include "properties/child_program.hpp"

namespace gradsmith::testing {

/// A program and how it must end.
struct ReproCase {
  std::string what;
  std::string program;
  int code = 0;
};

/// Compiles one program against LibTorch as its head says, without optimisation, and runs it; a message if it does not
/// compile.
std::string build_and_run_cpp(const std::string& text, Finished& run);

/// Compiles the programs against LibTorch in one translation unit, runs each, and says which ended otherwise than they
/// must, with what they printed; empty if none did.
std::string run_cpp(const std::vector<ReproCase>& cases);

/// The same for programs of repro_python(), all in one interpreter: that which the environment's GRADSMITH_PYTHON
/// names, else the one that CMake found.
std::string run_python(const std::vector<ReproCase>& cases);
/// Why run_python() cannot run here; empty if it can.
std::string no_python();

}  // namespace gradsmith::testing
