// The commands, one function each. They take checked-in-type options, return an exit code and throw UsageError or
// EnvironmentError (exits.hpp). Only main.cpp knows the option parser.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "harness/judge.hpp"

namespace gradsmith {

/// Where reports go, if anywhere.
struct ReportFiles {
  std::optional<std::string> markdown{}, junit{};
};
/// Makes the folders of the files named. EnvironmentError where that fails.
void check_report_files(const ReportFiles& files);
/// Reports on output folders, into the files named; Markdown to standard output if none is.
void write_reports(const std::vector<std::string>& folders, const ReportFiles& files);

/// Which accelerator to judge on as well, and the libraries that bring it.
struct DeviceOptions {
  std::string name = "cpu";
  std::vector<std::string> libraries{};
};

struct RunOptions {
  std::optional<std::uint64_t> cases{};  ///< neither cases nor seconds: 10,000 cases
  std::optional<double> seconds{};
  std::optional<std::uint64_t> seed{};          ///< absent: drawn, and printed
  std::vector<std::string> ops{}, witnesses{};  ///< empty: all
  std::vector<std::string> lanes{};             ///< empty: none
  std::string dtype = "f64";
  DeviceOptions device{};
  int max_steps = 10;
  int jobs = 0;  ///< 0: one per core
  bool stop_on_finding = false;
  std::string out = "reports/out";
  std::optional<std::string> corpus{};
  ReportFiles report{};  ///< written at the end; none by default
};
/// Generates and judges chains; findings are reduced and stored.
int command_run(const RunOptions& options);

struct CampaignOptions {
  std::string folder{};
  std::optional<int> workers{};  ///< absent: one per core
  std::optional<double> seconds{}, hours{};
  double patience = 20;  ///< seconds; a chain that takes longer hangs
  std::optional<std::uint64_t> seed{};
  std::vector<std::string> lanes{};
  std::optional<std::string> worker{}, corpus{};
};
/// Coverage-guided fuzzing in a folder that can be used again.
int command_campaign(const CampaignOptions& options);

struct StatusOptions {
  std::string folder{};
  bool json = false;
};
/// How a campaign stands.
int command_status(const StatusOptions& options);

struct MergeOptions {
  std::vector<std::string> folders{};
  std::string out{};
  std::size_t most = std::numeric_limits<std::size_t>::max();
};
/// The corpora of campaigns, or folders of chains, cut down to what they reach together, or to the `most` chains that reach
/// most of it.
int command_merge(const MergeOptions& options);

/// The libFuzzer program of workers: chain_fuzzer beside this program or in ../fuzz; nothing if there is none.
std::optional<std::filesystem::path> find_worker_program();
/// The file given, or that program. UsageError if the file is no worker of this release, EnvironmentError if there is
/// none.
std::filesystem::path worker_program(const std::optional<std::string>& given);

struct ReplayOptions {
  std::vector<std::string> paths{}, witnesses{}, lanes{};
  DeviceOptions device{};
  bool verbose = false;
};
/// Judges stored chains and compares with what their headers expect.
int command_replay(const ReplayOptions& options);

struct ReduceOptions {
  std::string file{};
  std::optional<std::string> out{};  ///< absent: standard output
  std::vector<std::string> witnesses{}, lanes{};
  DeviceOptions device{};
};
/// The smallest chain with the same signature.
int command_reduce(const ReduceOptions& options);

struct ExplainOptions {
  std::string file{};
};
/// A chain step by step: what the model and every witness say.
int command_explain(const ExplainOptions& options);

struct ReproOptions {
  std::string file{}, language{};
  std::optional<std::string> out{};  ///< absent: standard output
};
/// A stand-alone program against plain LibTorch or PyTorch.
int command_repro(const ReproOptions& options);

struct FmtOptions {
  std::vector<std::string> paths{};
  bool check = false;
};
/// Rewrites chains in canonical form, or says which are not.
int command_fmt(const FmtOptions& options);

struct OpsOptions {
  bool json = false;
  std::optional<std::string> summary{};
};
/// The op table.
int command_ops(const OpsOptions& options);

struct CoverageOptions {
  std::vector<std::string> paths{};
  std::optional<std::string> json{};
};
/// What stored chains reach, and what of the possible never was.
int command_coverage(const CoverageOptions& options);

struct ReportOptions {
  std::vector<std::string> folders{};
  ReportFiles files{};
};
/// What runs and campaigns found, for people and for CI services.
int command_report(const ReportOptions& options);

/// What this machine can run and what is missing.
int command_doctor();

/// A plan that asks the witnesses named, all if the list is empty, and uses the lanes named. UsageError for a name that is
/// none, EnvironmentError for a witness that this release does not have. The device is loaded and was tried (choose_device).
Plan plan_of(const std::vector<std::string>& witnesses, const std::vector<std::string>& lanes,
             const DeviceOptions& device = {});

}  // namespace gradsmith
