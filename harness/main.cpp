// The command line: options to structures, errors to one line and an exit code. Knows the option parser and the
// commands' header, nothing of what they do.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "harness/commands.hpp"
#include "harness/exits.hpp"
#include "harness/roles.hpp"
#include "harness/version.hpp"

namespace {

using namespace gradsmith;

int result = exit_clean;  // of the command that ran

/// Every error ends here.
int fail(const std::string& message, int code) {
  std::fprintf(stderr, "%s\n", message.substr(0, message.find('\n')).c_str());
  return code;
}

/// Accepts positive finite numbers; CLI11's own range lets NaN pass.
std::string positive(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool good = end != text.c_str() && *end == '\0' && std::isfinite(value) && value > 0;
  return good ? std::string() : "\"" + text + "\" is no positive number";
}

/// Accepts digits; CLI11 wraps negative numbers around.
std::string whole(const std::string& text) {
  const bool good = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return good ? std::string() : "\"" + text + "\" is no whole number";
}

void add_witnesses(CLI::App* command, std::vector<std::string>& witnesses) {
  command->add_option("--witness", witnesses, fmt::format("ask only these of {} (all)", fmt::join(witness_names, ",")))
      ->delimiter(',')
      ->allow_extra_args(false)  // else it would take the file behind it
      ->option_text("LIST");
}

void add_lanes(CLI::App* command, std::vector<std::string>& lanes) {
  command->add_option("--lane", lanes, "look with these too, of guard,determinism,leak,tf32 (none)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("LIST");
}

void add_device(CLI::App* command, DeviceOptions& device) {
  command->add_option("--device", device.name, "run everything there too: cuda, cuda:N, all (what there is), or a backend (cpu)")
      ->option_text("NAME");
  command->add_option("--load", device.libraries, "load this library first: a backend, or kernels for a device")
      ->allow_extra_args(false)
      ->option_text("LIB");
}

void add_report_files(CLI::App* command, ReportFiles& files) {
  command->add_option("--markdown", files.markdown, "write the report as Markdown there")->option_text("FILE");
  command->add_option("--junit", files.junit, "write it as JUnit XML there")->option_text("FILE");
}

void add_run(CLI::App& app, RunOptions& options) {
  CLI::App* run = app.add_subcommand("run", "generate chains and judge them; reduce and store what is found");
  run->add_option("--cases", options.cases, "stop after so many chains (10000 if --time is not given either)")
      ->check(whole)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62))
      ->option_text("N");
  run->add_option("--time", options.seconds, "stop after so many seconds")->check(positive)->option_text("S");
  run->add_option("--seed", options.seed, "equal seeds give equal chains (drawn and printed if not given)")
      ->check(whole)
      ->option_text("S");
  run->add_option("--ops", options.ops, "use only these ops, separated by commas: relu,mul,view")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("LIST");
  run->add_option("--max-steps", options.max_steps, "longest chain, in steps (10)")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  run->add_option("--dtype", options.dtype, "element type of all inputs: f64, f32, bf16, f16, or mixed (f64)")
      ->option_text("D");
  add_device(run, options.device);
  add_witnesses(run, options.witnesses);
  add_lanes(run, options.lanes);
  run->add_flag("--stop-on-finding", options.stop_on_finding, "stop at the first new finding");
  run->add_option("--jobs", options.jobs, "worker processes (one per core)")
      ->check(CLI::Range(1, 4096))
      ->option_text("N");
  run->add_option("--out", options.out, "folder for records and findings (reports/out)")->option_text("DIR");
  run->add_option("--corpus", options.corpus, "folder whose known/ holds known issues (corpus)")->option_text("DIR");
  add_report_files(run, options.report);
  run->callback([&] { result = command_run(options); });
}

void add_worker(CLI::App* command, std::optional<std::string>& worker) {
  command->add_option("--worker", worker, "the libFuzzer program chain_fuzzer (beside gradsmith or in ../fuzz)")->option_text("FILE");
}

void add_campaign(CLI::App& app, CampaignOptions& options) {
  CLI::App* fuzz = app.add_subcommand("fuzz", "fuzz with one worker, guided by coverage; DIR holds everything");
  CLI::App* campaign = app.add_subcommand("campaign", "fuzz with many workers; the same command goes on after a kill");
  for (CLI::App* command : {fuzz, campaign}) {
    command->add_option("folder", options.folder, "the campaign's folder, made if missing")->required()->option_text("DIR");
    auto* seconds = command->add_option("--time", options.seconds, "end after so many seconds in all (not at all)")
                        ->check(positive)
                        ->option_text("S");
    command->add_option("--hours", options.hours, "the same in hours")->check(positive)->excludes(seconds)->option_text("H");
    command->add_option("--patience", options.patience, "a chain that takes longer, in seconds, hangs (20)")->check(positive)->option_text("S");
    command->add_option("--seed", options.seed, "of all choices (drawn; DIR keeps it)")->check(whole)->option_text("S");
    command->add_option("--lanes", options.lanes, "what workers do: some of " + role_list() + " (all, in turn)")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->option_text("LIST");
    command->add_option("--corpus", options.corpus, "folder with known/ and seeds/ (corpus)")->option_text("DIR");
    add_worker(command, options.worker);
  }
  campaign->add_option("--workers", options.workers, "worker processes (one per core)")
      ->check(CLI::Range(1, 4096))
      ->option_text("N");
  fuzz->callback([&] {
    options.workers = 1;
    result = command_campaign(options);
  });
  campaign->callback([&] { result = command_campaign(options); });
}

void add_status(CLI::App& app, StatusOptions& options) {
  CLI::App* status = app.add_subcommand("status", "say how a campaign stands");
  status->add_option("folder", options.folder, "the campaign's folder")->required()->option_text("DIR");
  status->add_flag("--json", options.json, "print it as JSON");
  status->callback([&] { result = command_status(options); });
}

void add_merge(CLI::App& app, MergeOptions& options) {
  CLI::App* merge = app.add_subcommand("merge", "keep the fewest chains that reach all that these folders reach");
  merge->add_option("folders", options.folders, "campaigns, or folders of chains")->required()->option_text("DIR...");
  merge->add_option("-o,--out", options.out, "folder for the chains, new or empty")->required()->option_text("DIR");
  merge->add_option("--most", options.most, "at most so many chains: those that reach most")->option_text("N");
  merge->callback([&] { result = command_merge(options); });
}

void add_replay(CLI::App& app, ReplayOptions& options) {
  CLI::App* replay = app.add_subcommand("replay", "judge stored chains and compare with what they expect");
  replay->add_option("paths", options.paths, "files, or folders of *.chain")->required()->option_text("PATH...");
  add_witnesses(replay, options.witnesses);
  add_lanes(replay, options.lanes);
  add_device(replay, options.device);
  replay->add_flag("-v,--verbose", options.verbose, "a line for every chain");
  replay->callback([&] { result = command_replay(options); });
}

void add_reduce(CLI::App& app, ReduceOptions& options) {
  CLI::App* reduce = app.add_subcommand("reduce", "cut a chain down to the smallest with the same signature");
  reduce->add_option("file", options.file, "a chain that shows a finding")->required()->option_text("FILE");
  reduce->add_option("-o,--out", options.out, "write the chain there (standard output)")->option_text("FILE");
  add_witnesses(reduce, options.witnesses);
  add_lanes(reduce, options.lanes);
  add_device(reduce, options.device);
  reduce->callback([&] { result = command_reduce(options); });
}

void add_explain(CLI::App& app, ExplainOptions& options) {
  CLI::App* explain = app.add_subcommand("explain", "tell a chain step by step: versions, saved tensors, values, gradients");
  explain->add_option("file", options.file, "a chain")->required()->option_text("FILE");
  explain->callback([&] { result = command_explain(options); });
}

void add_repro(CLI::App& app, ReproOptions& options) {
  CLI::App* repro = app.add_subcommand("repro", "write a chain as a stand-alone program against plain LibTorch or PyTorch");
  repro->add_option("file", options.file, "a chain")->required()->option_text("FILE");
  repro->add_option("--lang", options.language, "cpp or python")
      ->required()
      ->check(CLI::IsMember({"cpp", "python"}))
      ->option_text("LANG");
  repro->add_option("-o,--out", options.out, "write the program there (standard output)")->option_text("FILE");
  repro->callback([&] { result = command_repro(options); });
}

void add_fmt(CLI::App& app, FmtOptions& options) {
  CLI::App* fmt = app.add_subcommand("fmt", "rewrite chains in canonical form");
  fmt->add_option("paths", options.paths, "files, folders of *.chain, or - for standard input")
      ->required()
      ->option_text("PATH...");
  fmt->add_flag("--check", options.check, "write nothing; name the files that would change, exit 1 if any");
  fmt->callback([&] { result = command_fmt(options); });
}

void add_ops(CLI::App& app, OpsOptions& options) {
  CLI::App* ops = app.add_subcommand("ops", "print the op table");
  auto* json = ops->add_flag("--json", options.json, "print it as JSON");
  ops->add_option("--summary", options.summary, "print how often a run used each op, from its summary.json")
      ->option_text("FILE")
      ->excludes(json);
  ops->callback([&] { result = command_ops(options); });
}

void add_coverage(CLI::App& app, CoverageOptions& options) {
  CLI::App* coverage = app.add_subcommand("coverage", "say what stored chains reach, and what was never reached");
  coverage->add_option("paths", options.paths, "files, or folders of *.chain")->required()->option_text("PATH...");
  coverage->add_option("--json", options.json, "write all of it there")->option_text("FILE");
  coverage->callback([&] { result = command_coverage(options); });
}

void add_report(CLI::App& app, ReportOptions& options) {
  CLI::App* report = app.add_subcommand("report", "report what runs found: Markdown to standard output, or into files");
  report->add_option("folders", options.folders, "output folders of runs")->required()->option_text("DIR...");
  add_report_files(report, options.files);
  report->callback([&] { result = command_report(options); });
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("GradSmith: exact verdicts on gradients of random LibTorch programs", "gradsmith");
  app.set_version_flag("--version", version);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) { return std::string(error.what()); });
  app.footer(
      "Exit codes: 0 nothing new, 1 a new finding or a replay that differs, 2 bad usage or input, 3 something is "
      "missing");
  RunOptions run;
  CampaignOptions campaign;
  StatusOptions status;
  MergeOptions merge;
  ReplayOptions replay;
  ReduceOptions reduce;
  ExplainOptions explain;
  ReproOptions repro;
  FmtOptions fmt;
  OpsOptions ops;
  CoverageOptions coverage;
  ReportOptions report;
  add_run(app, run);
  add_campaign(app, campaign);
  add_status(app, status);
  add_merge(app, merge);
  add_replay(app, replay);
  add_reduce(app, reduce);
  add_explain(app, explain);
  add_repro(app, repro);
  add_fmt(app, fmt);
  add_ops(app, ops);
  add_coverage(app, coverage);
  add_report(app, report);
  app.add_subcommand("doctor", "say what this machine can run and what is missing")->callback([] {
    result = command_doctor();
  });
  const auto commands = app.get_subcommands([](CLI::App*) { return true; });
  for (CLI::App* command : commands) command->group("Commands");
  // CLI11 would only say that a subcommand is missing.
  const auto is_named = [&](const CLI::App* command) { return command->check_name(argv[1]); };
  if (argc > 1 && argv[1][0] != '-' && std::none_of(commands.begin(), commands.end(), is_named))
    return fail(std::string("gradsmith: unknown command \"") + argv[1] + "\"; see gradsmith --help", exit_usage);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Error& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fail(std::string("gradsmith: ") + error.what() + "; see gradsmith --help", exit_usage);
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const gradsmith::UsageError& error) {
    return fail(error.message, exit_usage);
  } catch (const gradsmith::EnvironmentError& error) {
    return fail(error.message, exit_missing);
  }
}
