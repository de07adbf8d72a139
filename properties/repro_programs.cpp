#include "properties/repro_programs.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace gradsmith::testing {

namespace {

std::string python() {
  const char* given = std::getenv("GRADSMITH_PYTHON");
  return given ? given : GRADSMITH_PYTHON;
}

}  // namespace

std::string build_and_run_cpp(const std::string& text, Finished& run) {
  const Scratch scratch;
  const std::string source = scratch.file("repro.cpp", text), binary = scratch / "repro", lib = GRADSMITH_LIBTORCH_LIB;
  const Finished built =
      Program(GRADSMITH_CXX, {"-std=c++20", "-O0", source, "-o", binary, "-isystem", lib + "/../include", "-isystem",
                              lib + "/../include/torch/csrc/api/include", "-L" + lib, "-Wl,--no-as-needed",
                              "-ltorch_cpu", "-lc10", "-Wl,-rpath," + lib, "-Wl,--allow-shlib-undefined"})
          .wait();
  if (built.code != 0) return "does not compile:\n" + built.err.substr(0, 4000);
  run = Program(binary, {}).wait();
  return {};
}

std::string run_cpp(const std::vector<ReproCase>& cases) {
  // Paragraphs: the includes and the helpers are the same in all programs and stand once; `run` gets a number.
  std::vector<std::string> shared;
  std::string runs, calls;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string& program = cases[i].program;
    const std::string number = std::to_string(i);
    for (std::size_t at = program.find("#include"); at < program.size();) {
      const std::size_t end = std::min(program.find("\n\n", at), program.size());
      const std::string paragraph = program.substr(at, end - at) + "\n";
      at = program.find_first_not_of('\n', end);
      if (paragraph.starts_with("void run() {"))
        runs += "void run_" + number + paragraph.substr(std::string("void run").size());
      else if (!paragraph.starts_with("namespace") && !paragraph.starts_with("}") &&
               !paragraph.starts_with("int main") && std::find(shared.begin(), shared.end(), paragraph) == shared.end())
        shared.push_back(paragraph);
    }
    calls += "  end(" + number + ", " + std::to_string(cases[i].code) + ", run_" + number + ");\n";
  }
  std::string text;
  for (const std::string& paragraph : shared) text += paragraph;
  text += runs +
          "void end(int program, int expected, void (*run)()) {\n  failures = 0;\n  try {\n    run();\n"
          "  } catch (const c10::Error& error) {\n    std::printf(\"%s\\n\", error.what_without_backtrace());\n"
          "    failures = 1;\n  } catch (const std::runtime_error& error) {\n    std::printf(\"%s\\n\", error.what());\n"
          "    failures = 1;\n  }\n  if ((failures != 0) != (expected != 0))\n"
          "    std::printf(\"program %d ended otherwise than with %d\\n\", program, expected);\n"
          "  else\n    std::printf(\"program %d is right\\n\", program);\n}\n"
          "int main() {\n" +
          calls + "}\n";
  Finished run;
  if (const std::string trouble = build_and_run_cpp(text, run); !trouble.empty()) return trouble;
  std::string out = run.code == 0 ? "" : "ended with code " + std::to_string(run.code) + "\n", said;
  std::size_t ended = 0;
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) {
    std::size_t number = 0;
    if (std::sscanf(line.c_str(), "program %zu", &number) != 1) {
      said += "  " + line + "\n";
      continue;
    }
    if (!line.ends_with("is right")) out += line + ":\n" + said + cases[number].what + "\n";
    said.clear();
    ++ended;
  }
  if (ended != cases.size()) out += "only " + std::to_string(ended) + " programs ended\n";
  return out;
}

std::string run_python(const std::vector<ReproCase>& cases) {
  const Scratch scratch;
  std::string expected;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string name = std::to_string(i);
    scratch.file("programs/" + name + ".py", cases[i].program);
    expected += (i ? ",\n\"" : "\"") + name + "\": " + std::to_string(cases[i].code);
  }
  scratch.file("programs/expected.json", "{" + expected + "}");
  const Finished run =
      Program(python(), {GRADSMITH_SOURCE_DIR "/properties/python_repros.py", "run", scratch / "programs"}).wait();
  if (run.code == 0) return {};
  std::string out = run.out + run.err;
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);)
    if (std::size_t number = 0; std::sscanf(line.c_str(), "%zu: ended with", &number) == 1 && number < cases.size())
      out += std::to_string(number) + " is " + cases[number].what + "\n";
  return out;
}

std::string no_python() {
  return Program(python(), {"-c", "import torch"}).wait().code == 0 ? "" : python() + " has no PyTorch";
}

}  // namespace gradsmith::testing
