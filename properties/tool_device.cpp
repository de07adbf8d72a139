// Accelerators from outside, on the device `shadow` (CPU memory and CPU kernels under another name): what is right is never
// accused, what is wrong on it alone is found, reduced and stored, what is missing is said in one line.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "properties/child_program.hpp"

namespace gradsmith {

/// A kernel that is wrong on `shadow` (shadow_faults.cpp): the signature it must be found as, and what must be left of the chain.
struct DeviceFault {
  std::string op, signature, minimum;
  std::string beside = "mul,exp,expand";  ///< ops that a program may use besides
  int programs = 300;
};
void PrintTo(const DeviceFault& fault, std::ostream* out) { *out << fault.op; }

namespace {

using testing::body;
using testing::content;
using testing::Finished;
using testing::gradsmith;
using testing::Scratch;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

const Words shadow{"--device", "shadow", "--load", GRADSMITH_SHADOW_LIBRARY};
const Words faulty{"--device", "shadow", "--load", GRADSMITH_SHADOW_LIBRARY, "--load", GRADSMITH_SHADOW_FAULTS_LIBRARY};

Finished command(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return gradsmith(words);
}

Words run(const std::string& out, const std::string& ops, int cases) {
  return {"run", "--seed", "7", "--cases", std::to_string(cases), "--ops", ops, "--out", out};
}

Json summary(const std::string& out) { return Json::parse(content(out + "/summary.json")); }

void expect_one_line(const Finished& run, int code, const std::string& part) {
  EXPECT_EQ(run.code, code) << run.out << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_NE(run.err.find(part), std::string::npos) << run.err;
}

/// A run with these arguments accuses the device of nothing, and more than `agreeing` programs agree.
void expect_clean_run(std::vector<std::string> arguments, int agreeing) {
  const Scratch scratch;
  arguments.insert(arguments.end(), {"--out", scratch / "out"});
  const Finished finished = command(arguments, shadow);
  EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
  const Json device = summary(scratch / "out")["witness"]["device"];
  EXPECT_EQ(device["disagree"], 0);
  EXPECT_GT(device["agree"], agreeing) << device;
}

TEST(Device, That_computes_as_the_CPU_does_is_never_accused) {
  expect_clean_run({"run", "--seed", "3", "--cases", "4000", "--lane", "determinism"}, 3800);
}

TEST(Device, Promotes_and_casts_mixed_types_as_the_CPU_does) {
  expect_clean_run({"run", "--seed", "4", "--cases", "3000", "--dtype", "mixed"}, 2700);
}

TEST(Device, Bears_out_what_stored_chains_expect) {
  const Finished finished = command({"replay", GRADSMITH_SOURCE_DIR "/corpus"}, shadow);
  EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
}

TEST(Device, May_lay_out_a_result_otherwise_where_its_kernel_is_known_to) {
  const Scratch scratch;
  const std::string strided = "gradsmith 1\na = input f64[2, 2] strides=[1, 2] values=[1, 2, 3, 4]\nv1 = log_sigmoid(a)\n";
  const std::vector<std::string> chains = {
      "v2 = view(v1, size=[-1])\n",                                           // no program there
      "v2 = narrow(v1, dim=0, start=0, length=1)\nclamp_max_(v1, v2)\n",     // E14 on the CPU alone
      "v2 = flatten(v1)\nmul_(v2, 2)\n",                                     // a view on the CPU, a copy there
  };
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const std::string file = scratch / (std::to_string(i) + ".chain");
    std::ofstream(file) << strided << chains[i];
    const Finished finished = command({"replay", file}, shadow);
    EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
  }
}

const std::vector<DeviceFault> faults = {
    {"tanh", "device-mismatch.tanh.large.f64.shadow", "a = input f64[17] requires_grad\nv1 = tanh(a)\n"},
    {"sigmoid", "device-mismatch.sigmoid.small.f64.shadow", "a = input f64[] values=[1]\nv1 = sigmoid(a)\n"},
    {"silu", "device-mismatch.silu_.large.f64.shadow",
     "a = input f64[2, 2] requires_grad values=[0, 0, 0, 0]\nv1 = clone(a)\nsilu_(v1)\nv2 = transpose(v1, dim0=1, dim1=0)\n"
     "backward(v2, cotangent=normal(0))\n",
     "transpose,mul,exp,expand", 6000},
    {"mish", "spurious-error.mish.none-?-step.f64.shadow", "a = input f64[] values=[0]\nv1 = mish(a)\n"},
    {"neg", "missing-error.neg_.E13-step-none.f64.shadow", "a = input f64[] values=[0]\nv1 = expand(a, size=[2])\nneg_(v1)\n"},
    {"cosh", "nondeterminism.cosh.repeat.f64.shadow", "a = input f64[] values=[0]\nv1 = cosh(a)\n"},
    {"hardswish", "crash.hardswish.illegal-address.f64.shadow", "a = input f64[] values=[0]\nv1 = hardswish(a)\n"},
};

class FaultOnDevice : public ::testing::TestWithParam<DeviceFault> {};

TEST_P(FaultOnDevice, Is_found_there_alone_and_reduced_to_what_shows_it) {
  const DeviceFault& fault = GetParam();
  const Scratch scratch;
  const std::string ops = fault.op + "," + fault.beside;
  const Finished finished = command(run(scratch / "out", ops, fault.programs), faulty);
  ASSERT_EQ(finished.code, 1) << finished.out << finished.err;
  const Json all = summary(scratch / "out");
  const auto at = std::find_if(all["findings"].begin(), all["findings"].end(),
                               [&](const Json& finding) { return finding["signature"] == fault.signature; });
  ASSERT_NE(at, all["findings"].end()) << finished.out;
  const std::string file = scratch / "out/" + (*at)["file"].get<std::string>();
  EXPECT_EQ(body(content(file)), fault.minimum);
  EXPECT_EQ(command({"replay", file}, faulty).code, 0) << "the stored chain shows it again";
  const Finished without = gradsmith({"replay", file});
  EXPECT_EQ(without.code, 0);
  EXPECT_NE(without.out.find("0 chains: 0 as expected, 0 differ, 1 left out"), std::string::npos) << without.out;
  EXPECT_EQ(command(run(scratch / "cpu", ops, fault.programs), {}).code, 0) << "not on the CPU";
}

INSTANTIATE_TEST_SUITE_P(Shadow, FaultOnDevice, ::testing::ValuesIn(faults),
                         [](const auto& info) { return info.param.op; });

TEST(Device, May_differ_in_its_last_bits_from_run_to_run) {
  const Scratch scratch;
  Words words = run(scratch / "out", "atan,mul,exp", 500);
  words.insert(words.end(), {"--lane", "determinism"});
  const Finished finished = command(words, faulty);
  EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
  const Json notes = summary(scratch / "out")["witness"]["device"]["notes"];
  EXPECT_GT(notes.value("atan differs between runs by up to 1e-15", 0), 10) << notes << " the op is named, with how much";
}

TEST(Device, Without_memory_left_ends_a_run_with_what_was_found) {
  const Scratch scratch;
  const Finished finished = command(run(scratch / "out", "expm1,mul", 500), faulty);
  expect_one_line({finished.code, finished.signal, finished.out, finished.err.substr(finished.err.find('\n') + 1)}, 3,
                  "--device shadow: out of memory: shadow out of memory");
  EXPECT_EQ(summary(scratch / "out")["finished"], false);
}

TEST(Device, That_is_missing_is_named_in_one_line) {
  const Scratch scratch;
  const std::string out = scratch / "out", text = scratch.file("text.so", "no library\n");
  const auto with = [&](const Words& more) { return command({"run", "--cases", "1", "--out", out}, more); };
  expect_one_line(with({"--device", "abacus"}), 2, "unknown device \"abacus\"");
  expect_one_line(with({"--device", "abacus", "--load", GRADSMITH_SHADOW_LIBRARY}), 3, "--device abacus: no such device");
  expect_one_line(with({"--device", "shadow:3", "--load", GRADSMITH_SHADOW_LIBRARY}), 3, "sees only 1 of these");
  expect_one_line(with({"--device", "shadow", "--load", "/nonexistent.so"}), 3, "/nonexistent.so");
  expect_one_line(with({"--device", "shadow", "--load", text}), 3, text);
  expect_one_line(with({"--load", GRADSMITH_SHADOW_LIBRARY}), 2, "needs --device");
  expect_one_line(with({"--witness", "device"}), 2, "needs --device");
  EXPECT_FALSE(std::filesystem::exists(out)) << "nothing was begun";
}

TEST(Device, CUDA_is_named_where_it_is_missing_and_left_out_where_all_was_asked) {
  if (std::filesystem::exists("/dev/nvidia0")) GTEST_SKIP() << "this machine has a GPU";
  const Scratch scratch;
  const Words words{"run", "--cases", "50", "--seed", "1", "--out", scratch / "out"};
  expect_one_line(command(words, {"--device", "cuda"}), 3, "--device cuda: ");
  const Finished all = command(words, {"--device", "all"});
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_NE(all.err.find("on the CPU only: --device cuda: "), std::string::npos) << all.err;
}

TEST(Device, Another_LibTorch_is_told_by_its_release) {
  if (std::filesystem::exists("/dev/nvidia0")) GTEST_SKIP() << "this machine has a GPU";
  const Scratch scratch;
  scratch.file("torch/lib/libtorch_cuda.so", "");
  scratch.file("torch/build-version", "1.2.3+cu130\n");
  ::setenv("LIBTORCH_ROOT", (scratch / "torch").c_str(), 1);
  const Finished finished = gradsmith({"run", "--cases", "1", "--out", scratch / "out", "--device", "cuda"});
  ::unsetenv("LIBTORCH_ROOT");
  expect_one_line(finished, 3, "torch holds 1.2.3");
}

}  // namespace
}  // namespace gradsmith
