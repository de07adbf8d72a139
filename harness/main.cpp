// The command line: options to structures, errors to one line and an exit code. Knows the option parser and the
// commands' header, nothing of what they do.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "harness/commands.hpp"
#include "harness/exits.hpp"
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
  command->add_option("--witness", witnesses, "ask only these: expectation,reference,twin,difference")
      ->delimiter(',')
      ->type_name("LIST");
}

void add_run(CLI::App& app, RunOptions& options) {
  CLI::App* run = app.add_subcommand("run", "generate and judge chains; findings are reduced and stored");
  run->add_option("--cases", options.cases, "judge so many chains (10000, if --time is not given either)")
      ->check(whole)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62))
      ->type_name("N");
  run->add_option("--time", options.seconds, "stop after so many seconds")->check(positive)->type_name("S");
  run->add_option("--seed", options.seed, "where decisions come from (drawn and printed, if not given)")
      ->check(whole)
      ->type_name("S");
  run->add_option("--ops", options.ops, "use only these ops")->delimiter(',')->type_name("LIST");
  run->add_option("--max-steps", options.max_steps, "steps of a chain at most (10)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  run->add_option("--dtype", options.dtype, "element type: f64")->type_name("D");
  run->add_option("--device", options.device, "device: cpu")->type_name("cpu|cuda");
  add_witnesses(run, options.witnesses);
  run->add_flag("--stop-on-finding", options.stop_on_finding, "stop at the first new finding");
  run->add_option("--jobs", options.jobs, "worker processes (one per core)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  run->add_option("--out", options.out, "folder for records and findings (reports/out)")->type_name("DIR");
  run->add_option("--corpus", options.corpus, "folder with known/ in it (corpus)")->type_name("DIR");
  run->callback([&] { result = command_run(options); });
}

void add_replay(CLI::App& app, ReplayOptions& options) {
  CLI::App* replay = app.add_subcommand("replay", "judge stored chains and compare with what they expect");
  replay->add_option("paths", options.paths, "files, or folders of *.chain")->required()->type_name("PATH");
  add_witnesses(replay, options.witnesses);
  replay->add_flag("-v,--verbose", options.verbose, "a line for every chain");
  replay->callback([&] { result = command_replay(options); });
}

void add_reduce(CLI::App& app, ReduceOptions& options) {
  CLI::App* reduce = app.add_subcommand("reduce", "the smallest chain with the same signature");
  reduce->add_option("file", options.file, "a chain that shows a finding")->required()->type_name("FILE");
  reduce->add_option("-o,--out", options.out, "write it there (standard output)")->type_name("FILE");
  add_witnesses(reduce, options.witnesses);
  reduce->callback([&] { result = command_reduce(options); });
}

void add_fmt(CLI::App& app, FmtOptions& options) {
  CLI::App* fmt = app.add_subcommand("fmt", "rewrite chains in canonical form");
  fmt->add_option("paths", options.paths, "files, folders of *.chain, or - for standard input")
      ->required()
      ->type_name("FILE");
  fmt->add_flag("--check", options.check, "write nothing; name the files that would change, exit 1 if any");
  fmt->callback([&] { result = command_fmt(options); });
}

void add_ops(CLI::App& app, OpsOptions& options) {
  CLI::App* ops = app.add_subcommand("ops", "the op table");
  auto* json = ops->add_flag("--json", options.json, "as JSON");
  ops->add_option("--summary", options.summary, "how often a run used each op: its summary.json")
      ->type_name("FILE")
      ->excludes(json);
  ops->callback([&] { result = command_ops(options); });
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("GradSmith: exact verdicts on gradients of random LibTorch programs", "gradsmith");
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) { return std::string(error.what()); });
  app.footer(
      "Exit codes: 0 nothing new, 1 a new finding or a replay that differs, 2 bad usage or input, 3 something is "
      "missing");
  RunOptions run;
  ReplayOptions replay;
  ReduceOptions reduce;
  FmtOptions fmt;
  OpsOptions ops;
  add_run(app, run);
  add_replay(app, replay);
  add_reduce(app, reduce);
  add_fmt(app, fmt);
  add_ops(app, ops);
  app.add_subcommand("doctor", "what this machine can run and what is missing")->callback([] {
    result = command_doctor();
  });
  // CLI11 would only say that a subcommand is missing.
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
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
