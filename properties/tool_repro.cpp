// Stand-alone programs: they compile, say what they must, and end as they must: the spelling of every op in both forms
// is audited by running it, and programs that assert what is not so must fail.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "harness/claim.hpp"
#include "harness/expect.hpp"
#include "harness/files.hpp"
#include "harness/judge.hpp"
#include "harness/print.hpp"
#include "harness/repro.hpp"
#include "harness/repro_body.hpp"
#include "harness/repro_names.hpp"
#include "properties/child_program.hpp"
#include "properties/golden.hpp"
#include "properties/op_cases.hpp"
#include "properties/repro_programs.hpp"

namespace gradsmith::testing {
namespace {

const ReproTitle title{.shows = "what it shows", .versions = "GradSmith of the test"};
const std::string corpus = std::string(GRADSMITH_SOURCE_DIR) + "/corpus";

Chain parsed(const std::string& text) {
  auto chain = parse("gradsmith 1\n" + text);
  if (!std::holds_alternative<Chain>(chain)) throw std::runtime_error(text);
  return std::get<Chain>(std::move(chain));
}
Chain stored(const std::string& file) { return std::get<Chain>(load_chain(corpus + "/" + file)); }

std::string program(Language language, const Chain& chain, const Answer& answer) {
  const auto typed = std::get<Typed>(type_chain(chain));
  return language == Language::cpp ? repro_cpp(chain, typed, answer, title) : repro_python(chain, typed, answer, title);
}
Answer right(const Chain& chain, Mode mode) { return answer_of(chain, std::get<Typed>(type_chain(chain)), mode); }
Answer right(const Chain& chain) { return right(chain, mode_of(chain)); }

/// A chain and how its programs must end.
struct Told {
  std::string what;
  Chain chain;
  int code;
};

/// Every chain that somebody stored; those that show a defect in the linked release must fail. What a campaign reached is
/// left out: its steps are those of op_chains, and a compiler takes its time.
std::vector<Told> corpus_chains() {
  std::vector<Told> out;
  for (const std::string& file : chain_files({corpus + "/seeds", corpus + "/known", corpus + "/regressions"})) {
    Chain chain = std::get<Chain>(load_chain(file));
    if (!no_repro(chain, mode_of(chain)).empty()) continue;
    const auto claim = std::get<std::optional<Claim>>(claim_of(chain));
    if (!claim) continue;  // cannot be decided: there is nothing to assert
    const bool elsewhere = header(chain, "lane") || header(chain, "device");  // its numbers and errors are right here
    out.push_back({file, std::move(chain), claim->kind == Claim::Kind::finding && !elsewhere});
  }
  return out;
}

/// Cases of every op in every form, all operands requiring grad. What LibTorch gets wrong there must fail.
std::vector<Told> op_chains() {
  initialize_libtorch();
  std::vector<Told> out;
  for (const Op* op : product_ops())
    for (const OpCase& one : cases_of(*op, 4))
      for (const bool inplace : {false, true}) {
        if (inplace ? !op->inplace : !(op->pure || op->pure_many)) continue;
        Chain chain = variant(one, inplace, ~0u);
        const Verdict verdict = judge(chain);
        if (verdict.status == Status::inconclusive) continue;
        out.push_back({std::string(op->name) + (inplace ? "_" : ""), chain, verdict.status == Status::finding});
      }
  return out;
}

std::vector<ReproCase> programs_of(Language language, const std::vector<Told>& chains) {
  std::vector<ReproCase> out;
  for (const Told& told : chains)
    out.push_back({told.what + "\n" + print(told.chain), program(language, told.chain, right(told.chain)), told.code});
  return out;
}

TEST(Repro, Of_every_stored_chain_ends_as_it_must) {
  EXPECT_EQ(run_cpp(programs_of(Language::cpp, corpus_chains())), "");
}

TEST(Repro, Spells_every_op_in_both_forms_as_LibTorch_has_it) {
  const auto chains = op_chains();
  std::map<std::string, int> forms;
  for (const Told& told : chains) ++forms[told.what];
  for (const Op* op : product_ops()) {
    EXPECT_GE(forms[std::string(op->name)], op->pure || op->pure_many ? 2 : 0) << op->name;
    EXPECT_GE(forms[std::string(op->name) + "_"], op->inplace ? 2 : 0) << op->name;
  }
  EXPECT_EQ(run_cpp(programs_of(Language::cpp, chains)), "");
}

TEST(Repro, Fails_where_what_it_asserts_does_not_come) {
  const Chain fine = parsed("a = input f64[2] requires_grad values=[1, 2]\nv1 = exp(a)\n");
  const Chain overwritten = stored("seeds/E5-result-overwritten.chain"),
              view_of_leaf = stored("seeds/E2-view-of-leaf.chain");
  Answer refusal = right(fine), silence = right(overwritten), other = right(view_of_leaf), value = right(fine),
         gradient = right(fine), missing = right(fine);
  refusal.expectation.refusal = Refusal{{Phase::Kind::backward, 1}, "E5", {}};
  silence.expectation.refusal.reset();
  ASSERT_EQ(other.expectation.refusal->id, "E2");
  other.expectation.refusal->id = "E1";  // whose text E2's contains
  value.reference.values[1]->value[0] *= 1 + 1e-13;
  gradient.reference.gradients[0]->value[1] *= 1 - 1e-13;
  missing.reference.gradients[0]->value[0] = NAN;
  missing.reference.gradients[0]->spread[0] = 0;  // in every replica
  EXPECT_EQ(run_cpp({{"control", program(Language::cpp, fine, right(fine)), 0},
                     {"refusal that does not come", program(Language::cpp, fine, refusal), 1},
                     {"silence that does not come", program(Language::cpp, overwritten, silence), 1},
                     {"another error", program(Language::cpp, view_of_leaf, other), 1},
                     {"another value", program(Language::cpp, fine, value), 1},
                     {"another gradient", program(Language::cpp, fine, gradient), 1},
                     {"NaN", program(Language::cpp, fine, missing), 1}}),
            "");
}

/// Chains on which forward mode and double backward are right, or are refused as they must, and how they must end.
std::vector<std::pair<Chain, Mode>> chains_in_other_modes() {
  std::vector<std::pair<Chain, Mode>> out;
  for (const Mode mode : {Mode::forward, Mode::second})
    for (const char* text :
         {"a = input f64[2, 3] requires_grad\nb = input f64[3] requires_grad values=normal(1)\nv1 = sin(a)\n"
          "v2 = narrow(v1, dim=0, start=1, length=1)\nmul_(v2, b)\nv3 = prod(v1)\nv4 = clone(v3)\nexp_(v4)\n",
          "a = input f64[2, 2] requires_grad strides=[1, 2] values=[1, 2, 3, 4]\nc = input f64[3] requires_grad\n"
          "no_grad {\n  v1 = exp(a)\n}\nv2 = mul(a, v1)\nv3 = cumsum(v2, dim=0)\n",
          "a = input f64[3] requires_grad\nv1 = hardsigmoid(a)\nv2 = sin(v1)\n",   // E23 in the second backward
          "a = input f64[3] requires_grad\nv1 = clone(a)\nrrelu_(v1)\n"})          // E23b in forward mode
      if (mode == Mode::second || std::string_view(text).find("hardsigmoid") == std::string_view::npos)  // known
        out.emplace_back(parsed(text), mode);
  return out;
}

TEST(Repro, In_forward_mode_and_differentiated_twice_ends_as_it_must) {
  std::vector<ReproCase> cpp, python;
  for (const auto& [chain, mode] : chains_in_other_modes()) {
    const Answer answer = right(chain, mode);
    cpp.push_back({print(chain), program(Language::cpp, chain, answer), 0});
    python.push_back({print(chain), program(Language::python, chain, answer), 0});
  }
  const Chain fine = parsed("a = input f64[2] requires_grad values=[1, 2]\nv1 = exp(a)\n"),
              fill = parsed("a = input f64[2] requires_grad values=[1, 2]\nv1 = clone(a)\nrrelu_(v1)\n");
  Answer tangent = right(fine, Mode::forward), second = right(fine, Mode::second), first = right(fine, Mode::second),
         refusal = right(fine, Mode::second), silence = right(fill, Mode::forward);
  tangent.directed[1]->value[0] *= 1 + 1e-13;
  second.directed[0]->value[1] *= 1 - 1e-13;
  first.reference.gradients[0]->value[1] *= 1 - 1e-13;
  refusal.expectation.refusal = Refusal{{Phase::Kind::backward, 2}, "E23", {}};
  ASSERT_EQ(silence.expectation.refusal->id, "E23b");
  silence.expectation.refusal.reset();
  for (const auto& [what, chain, answer] : {std::tuple{"tangent", fine, tangent}, {"second derivative", fine, second},
                                            {"first derivative", fine, first}, {"refusal", fine, refusal},
                                            {"silence", fill, silence}}) {
    cpp.push_back({what, program(Language::cpp, chain, answer), 1});
    python.push_back({what, program(Language::python, chain, answer), 1});
  }
  EXPECT_EQ(run_cpp(cpp), "");
  if (const std::string reason = no_python(); !reason.empty()) GTEST_SKIP() << reason;
  EXPECT_EQ(run_python(python), "");
}

TEST(Repro, In_Python_ends_as_it_must) {
  if (const std::string reason = no_python(); !reason.empty()) GTEST_SKIP() << reason;
  std::vector<Told> chains = corpus_chains();
  const std::vector<Told> ops = op_chains();
  chains.insert(chains.end(), ops.begin(), ops.end());
  EXPECT_EQ(run_python(programs_of(Language::python, chains)), "");
}

TEST(Repro, Reads_like_a_program_somebody_wrote) {
  for (const char* file : {"known/hardsigmoid", "known/hardsigmoid-forward", "known/mish-second",
                           "seeds/article-1-hazard", "seeds/E10-no-grad-view-stale"}) {
    const Chain chain = stored(std::string(file) + ".chain");
    const std::string name = "repro-" + std::filesystem::path(file).filename().string();
    EXPECT_EQ(differs_from_golden(name + ".cpp.txt", program(Language::cpp, chain, right(chain))), "");
    EXPECT_EQ(differs_from_golden(name + ".py.txt", program(Language::python, chain, right(chain))), "");
  }
}

TEST(Repro, Renames_what_the_language_or_the_helpers_have) {
  const Chain chain =
      parsed("int = input f64[2] requires_grad\ncheck = exp(int)\nNAN = exp(check)\nint_x = exp(NAN)\n");
  EXPECT_EQ(program_names(Language::cpp, chain), (std::vector<std::string>{"int_x_x", "check_x", "NAN_x", "int_x"}));
  EXPECT_EQ(program_names(Language::python, chain), (std::vector<std::string>{"int", "check_x", "NAN", "int_x"}));
  EXPECT_EQ(run_cpp({{"renamed", program(Language::cpp, chain, right(chain)), 0}}), "");
}

TEST(Repro, Is_spelled_as_every_compiler_reads_it) {
  const Chain chain = parsed("a = input f32[1] requires_grad values=[100000002004087734272]\nv1 = squeeze(a, dim=[0])\n");
  const std::string text = program(Language::cpp, chain, right(chain));
  EXPECT_NE(text.find("{100000002004087734272.0}"), std::string::npos) << text;
  EXPECT_NE(text.find("a.squeeze(0)"), std::string::npos) << text;
}

TEST(Repro, Alone_says_what_came_and_ends_with_1) {
  const Chain chain = stored("known/hardsigmoid.chain");
  Finished run;
  ASSERT_EQ(build_and_run_cpp(program(Language::cpp, chain, right(chain)), run), "");
  EXPECT_EQ(run.code, 1);
  EXPECT_TRUE(run.out.starts_with("gradient of a[0]: observed -0.0846538090")) << run.out;
}

TEST(Repro, Breaks_lines_at_commas_outside_strings) {
  EXPECT_EQ(wrapped("f(aaaa, \"b, b\", c)", 12), (std::vector<std::string>{"f(aaaa,", "    \"b, b\",", "    c)"}));
  EXPECT_EQ(wrapped("short", 12), (std::vector<std::string>{"short"}));
}

TEST(Repro, Is_refused_for_what_cannot_be_asserted) {
  const Scratch scratch;
  const std::string file = scratch.file("second.chain",
                                        "gradsmith 1\nx = input f64[4] requires_grad values=normal(3)\ny = tanh(x)\n"
                                        "g = backward(y, wrt=[x], cotangent=normal(1), create_graph)\n");
  const Finished run = gradsmith({"repro", file, "--lang", "cpp"});
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("second derivatives"), std::string::npos) << run.err;
}

TEST(Repro, Names_the_place_of_an_error_in_a_chain) {
  const Scratch scratch;
  const std::string file = scratch.file("bad.chain", "gradsmith 1\na = input f64[2]\nv1 = sigmod(a)\n");
  const Finished run = gradsmith({"repro", file, "--lang", "cpp"});
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find(file + ":3:"), std::string::npos) << run.err;
}

TEST(Repro, Lies_beside_every_finding) {
  const Scratch scratch;
  std::filesystem::create_directories(scratch.path / "corpus");  // one that knows no issue
  const Finished run = gradsmith({"run", "--cases", "300", "--seed", "1", "--ops", "hardsigmoid", "--jobs", "1",
                                  "--out", scratch / "out", "--corpus", scratch / "corpus"});
  EXPECT_EQ(run.code, 1) << run.out << run.err;
  int folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path / "out" / "findings")) {
    const std::string folder = entry.path().string();
    EXPECT_NE(content(folder + "/repro.cpp").find("hardsigmoid"), std::string::npos) << folder;
    EXPECT_NE(content(folder + "/repro.py").find("F.hardsigmoid"), std::string::npos) << folder;
    EXPECT_NE(content(folder + "/finding.md").find("`repro.cpp`"), std::string::npos) << folder;
    ++folders;
  }
  EXPECT_GE(folders, 1);
}

TEST(Repro, Is_written_by_the_command) {
  const Scratch scratch;
  const std::string chain = corpus + "/known/hardsigmoid.chain";
  EXPECT_EQ(gradsmith({"repro", chain, "--lang", "cpp", "-o", scratch / "out.cpp"}).code, 0);
  EXPECT_EQ(content(scratch / "out.cpp"), gradsmith({"repro", chain, "--lang", "cpp"}).out);
  EXPECT_NE(content(scratch / "out.cpp").find("// wrong-gradient hardsigmoid: a[0]"), std::string::npos);
  EXPECT_NE(gradsmith({"repro", chain, "--lang", "python"}).out.find("F.hardsigmoid(a)"), std::string::npos);
}

}  // namespace
}  // namespace gradsmith::testing
