// The command line from outside: exit codes, one-line messages, and what is left on disk.
#include <gtest/gtest.h>

#include <algorithm>

#include "properties/child_program.hpp"

namespace gradsmith::testing {
namespace {

const std::string good = "gradsmith 1\na = input f64[2] requires_grad values=[1, 2]\nv1 = exp(a)\n";

/// Exactly one line on standard error that holds `part`, and this exit code.
void expect_one_line(const Finished& run, int code, const std::string& part) {
  EXPECT_EQ(run.code, code) << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_NE(run.err.find(part), std::string::npos) << "wanted: " << part << "\ngot: " << run.err;
}

TEST(CommandLine, Help_and_version_are_no_errors) {
  for (const char* command : {"run", "fuzz", "campaign", "status", "merge", "replay", "reduce", "explain", "repro", "fmt", "ops",
                              "coverage", "report", "doctor"}) {
    const Finished help = gradsmith({command, "--help"});
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_NE(help.out.find("Usage"), std::string::npos) << command;
  }
  EXPECT_EQ(gradsmith({"--help"}).code, 0);
  EXPECT_EQ(gradsmith({"--version"}).out, "0.1.0\n");
}

TEST(CommandLine, Bad_usage_is_one_line_and_exit_code_2) {
  expect_one_line(gradsmith({}), 2, "subcommand");
  expect_one_line(gradsmith({"bogus"}), 2, "unknown command \"bogus\"");
  expect_one_line(gradsmith({"run", "--bogus"}), 2, "--bogus");
  expect_one_line(gradsmith({"run", "--cases", "0"}), 2, "--cases");
  expect_one_line(gradsmith({"run", "--cases", "-1"}), 2, "--cases");
  expect_one_line(gradsmith({"run", "--cases", "many"}), 2, "--cases");
  expect_one_line(gradsmith({"run", "--time", "nan"}), 2, "--time");
  expect_one_line(gradsmith({"run", "--jobs", "0"}), 2, "--jobs");
  expect_one_line(gradsmith({"run", "--seed", "-3"}), 2, "--seed");
  expect_one_line(gradsmith({"run", "--ops", "sigmod"}), 2, "nearest: \"sigmoid\"");
  expect_one_line(gradsmith({"run", "--witness", "oracle"}), 2, "unknown witness \"oracle\"");
  expect_one_line(gradsmith({"run", "--lane", "moat"}), 2, "unknown lane \"moat\"; expected guard, determinism, leak, tf32");
  expect_one_line(gradsmith({"run", "--dtype", "f31"}), 2, "\"f31\" is no floating type; expected f64, f32, bf16, f16 or mixed");
  expect_one_line(gradsmith({"run", "--dtype", "i64"}), 2, "\"i64\" is no floating type; expected f64, f32, bf16, f16 or mixed");
  expect_one_line(gradsmith({"run", "--device", "abacus"}), 2, "abacus");
  for (const char* device : {"cuda:", "cuda:x", "cuda:-1", "cuda:10000"})
    expect_one_line(gradsmith({"run", "--device", device}), 2, "expected cpu, cuda, cuda:N");
  expect_one_line(gradsmith({"run", "--corpus", "/nonexistent"}), 2, "/nonexistent");
  expect_one_line(gradsmith({"replay"}), 2, "paths");
  expect_one_line(gradsmith({"repro", "a.chain"}), 2, "--lang");
  expect_one_line(gradsmith({"repro", "a.chain", "--lang", "cobol"}), 2, "cobol");
}

TEST(CommandLine, An_output_folder_that_cannot_be_written_is_exit_code_3) {
  expect_one_line(gradsmith({"run", "--cases", "1", "--out", "/dev/null/out"}), 3, "/dev/null/out");
}

struct BadChain {
  const char* what;
  std::string text;
  std::string place, part;  // ":LINE:" or ":LINE:COLUMN:", and a word of the message
};

const std::vector<BadChain> bad_chains = {
    {"unknown op", "gradsmith 1\na = input f64[2]\nv1 = sigmod(a)\n", ":3:", "sigmoid"},
    {"operand missing", "gradsmith 1\na = input f64[2]\nv1 = mul(a)\n", ":3:", ""},
    {"operand too many", "gradsmith 1\na = input f64[2]\nv1 = exp(a, a)\n", ":3:", ""},
    {"unknown attribute", "gradsmith 1\na = input f64[2]\nv1 = sigmoid(a, inplace=true)\n", ":3:", "inplace"},
    {"inplace as an attribute", "gradsmith 1\nx = input f64[2]\nv1 = sigmoid(x, inplace=True)\n", ":3:", ""},
    {"undefined name", "gradsmith 1\na = input f64[2]\nv1 = exp(b)\n", ":3:", "b"},
    {"name defined twice", "gradsmith 1\na = input f64[2]\na = exp(a)\n", ":3:", "a"},
    {"shapes that do not fit", "gradsmith 1\na = input f64[2]\nv1 = view(a, size=[3])\n", ":3:", ""},
    {"dtype that does not exist", "gradsmith 1\na = input f65[2]\n", ":2:", "f65"},
    {"not UTF-8", "gradsmith 1\na = input f64[2]\nv1 = e\xff\xfe(a)\n", ":3:", ""},
    {"a line of 10 MB", "gradsmith 1\n" + std::string(10'000'000, 'a') + "\n", ":", "1"},
    {"empty", "", ":1:1:", ""},
    {"another file", "hello\n", ":1:1:", ""},
};

TEST(CommandLine, Every_command_that_reads_a_chain_names_the_place_of_an_error) {
  const Scratch scratch;
  for (const BadChain& bad : bad_chains) {
    SCOPED_TRACE(bad.what);
    const std::string file = scratch.file("bad.chain", bad.text);
    for (const char* command : {"replay", "reduce", "explain", "fmt", "coverage"}) {
      const Finished run = gradsmith({command, file});
      expect_one_line(run, 2, file + bad.place);
      EXPECT_NE(run.err.find(bad.part), std::string::npos) << run.err;
    }
    EXPECT_EQ(content(file), bad.text) << "nothing is written";
  }
}

TEST(CommandLine, A_missing_file_is_exit_code_2) {
  for (const char* command : {"replay", "reduce", "explain", "fmt", "coverage"})
    expect_one_line(gradsmith({command, "/nonexistent.chain"}), 2, "/nonexistent.chain");
}

TEST(Fmt, Writes_canonical_form_in_place_and_leaves_it_alone_the_second_time) {
  const Scratch scratch;
  const std::string file = scratch.file("a.chain", "gradsmith 1\na=input f64[ 2 ] values=[1,2]\nv1=exp( a )\n");
  EXPECT_EQ(gradsmith({"fmt", "--check", file}).code, 1);
  EXPECT_EQ(gradsmith({"fmt", file}).code, 0);
  const std::string canonical = content(file);
  EXPECT_NE(canonical.find("v1 = exp(a)\n"), std::string::npos) << canonical;
  EXPECT_EQ(gradsmith({"fmt", "--check", file}).code, 0);
  EXPECT_EQ(gradsmith({"fmt", "-"}, "gradsmith 1\na=input f64[ 2 ] values=[1,2]\nv1=exp( a )\n").out, canonical);
}

TEST(Fmt, Does_the_other_files_when_one_is_bad) {
  const Scratch scratch;
  const std::string bad = scratch.file("a.chain", "gradsmith 1\nv1 = exp(\n");
  const std::string file = scratch.file("b.chain", "gradsmith 1\na=input f64[2]\n");
  EXPECT_EQ(gradsmith({"fmt", bad, file}).code, 2);
  EXPECT_NE(content(file).find("a = input f64[2]"), std::string::npos);
}

TEST(Replay, Compares_with_what_the_header_expects) {
  const Scratch scratch;
  const auto chain = [&](const std::string& expect, const std::string& steps) {
    return scratch.file(
        "c.chain", "gradsmith 1\n# expect: " + expect + "\na = input f64[2] requires_grad values=[1, 2]\n" + steps);
  };
  const std::string overwritten = "v1 = sqrt(a)\nsigmoid_(v1)\n";
  EXPECT_EQ(gradsmith({"replay", chain("pass", "v1 = exp(a)\n")}).code, 0);
  EXPECT_EQ(gradsmith({"replay", chain("refused E5 backward", overwritten)}).code, 0);
  EXPECT_EQ(gradsmith({"replay", chain("refused E5 backward 1", overwritten)}).code, 0);
  EXPECT_EQ(gradsmith({"replay", chain("refused E5 backward 2", overwritten)}).code, 1);
  EXPECT_EQ(gradsmith({"replay", chain("refused E5 step 2", overwritten)}).code, 1);
  EXPECT_EQ(gradsmith({"replay", chain("pass", overwritten)}).code, 1);
  EXPECT_EQ(gradsmith({"replay", chain("known-hole U1", "v1 = exp(a)\n")}).code, 1);
  const Finished fixed = gradsmith({"replay", chain("finding wrong-gradient", "v1 = exp(a)\n")});
  EXPECT_EQ(fixed.code, 1);
  EXPECT_NE(fixed.out.find("now passes"), std::string::npos) << fixed.out;
  expect_one_line(gradsmith({"replay", chain("joy", "v1 = exp(a)\n")}), 2, "expected pass, refused");
}

TEST(Replay, Uses_the_lane_that_a_header_names) {
  const Scratch scratch;
  const std::string leaks = "a = input f64[] requires_grad values=[0]\nv1 = clone(a)\nmul_(v1, v1)\n";
  const auto chain = [&](const std::string& lines) { return scratch.file("l.chain", "gradsmith 1\n" + lines + leaks); };
  EXPECT_EQ(gradsmith({"replay", chain("# expect: refused E5 backward\n")}).code, 0);
  EXPECT_EQ(gradsmith({"replay", chain("# expect: finding leak\n")}).code, 1);
  EXPECT_EQ(gradsmith({"replay", chain("# expect: finding leak\n# lane: leak\n")}).code, 0);
  EXPECT_EQ(gradsmith({"replay", "--lane", "leak", chain("# expect: finding leak\n")}).code, 0);
  expect_one_line(gradsmith({"replay", chain("# lane: moat\n")}), 2, "l.chain:1:1: unknown lane \"moat\"");
}

TEST(Replay, Judges_the_other_files_when_one_is_bad) {
  const Scratch scratch;
  scratch.file("in/a.chain", "nonsense\n");
  scratch.file("in/deep/b.chain", good);
  const Finished run = gradsmith({"replay", "-v", scratch / "in"});
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.out.find("b.chain: as expected: pass"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("1 could not be read"), std::string::npos) << run.out;
}

TEST(Reduce, Refuses_a_chain_without_a_finding) {
  const Scratch scratch;
  const std::string file = scratch.file("good.chain", good);
  expect_one_line(gradsmith({"reduce", file, "-o", scratch / "out.chain"}), 2, "shows no finding; nothing to reduce");
  EXPECT_EQ(content(scratch / "out.chain"), "");
}

TEST(Coverage, Says_what_files_reach_and_writes_all_of_it_as_json) {
  const Scratch scratch;
  scratch.file("a.chain", good);
  scratch.file("0123abcd", good);  // as a fuzz engine names it
  scratch.file("README.md", "no chain");
  const std::string json = scratch / "coverage.json";
  const Finished run = gradsmith({"coverage", scratch.path.string(), "--json", json});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out.substr(0, 9), "2 chains\n");
  EXPECT_NE(run.out.find("before backward: never\n"), std::string::npos) << run.out;
  EXPECT_NE(content(json).find("\"domain\": \"relations\""), std::string::npos);
}

TEST(Doctor, Names_the_library_and_the_processor) {
  const Finished run = gradsmith({"doctor"});
  EXPECT_EQ(run.code, 0) << run.out;
  for (const char* word : {"LibTorch", "guard", "leak", "CPU capability", "cores", "disk", "corpus"})
    EXPECT_NE(run.out.find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace gradsmith::testing
