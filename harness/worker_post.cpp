#include "harness/worker_post.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/sanitizer_report.hpp"
#include "harness/values.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

constexpr int rss_limit_mb = 4096;
constexpr std::uintmax_t longest_log = 1u << 20;  // bytes; as much again is kept of what went before
constexpr std::size_t longest_report = 64 << 10;  // bytes of the log that are looked through for a sanitizer's report
constexpr double start_up = 120, between = 120;   // seconds without a first input; between two inputs
constexpr double too_early = 10;                  // a death in so many seconds is a false start
constexpr int most_false_starts = 8;

/// The number behind `word` in the log's last line that has one, as in "#2048 NEW cov: 24 ft: 61 corp: 9/40b".
std::uint64_t last_number(const std::string& log, std::string_view word) {
  const auto at = log.rfind(word);
  return at == std::string::npos ? 0 : std::strtoull(log.c_str() + at + word.size(), nullptr, 10);
}

std::string tail_of(const fs::path& file, std::size_t bytes) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const auto size = static_cast<std::size_t>(in.tellg());
  std::string text(std::min(size, bytes), '\0');
  in.seekg(static_cast<std::streamoff>(size - text.size()));
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// The engine keeps the log open for appending, so its contents are moved, not the file.
void bound_log(const fs::path& log) {
  std::error_code ignored;
  if (fs::file_size(log, ignored) <= longest_log || ignored) return;
  fs::copy_file(log, log.string() + ".old", fs::copy_options::overwrite_existing, ignored);
  fs::resize_file(log, 0, ignored);
}

/// What a process takes, and the most it ever took, as the kernel counts ("VmRSS:    1234 kB"); 0 once it has ended.
double resident_mb(pid_t pid, std::string_view which) {
  std::ifstream in(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(which)) return std::strtod(line.c_str() + which.size(), nullptr) / 1024;
  return 0;
}

}  // namespace

WorkerPost::WorkerPost(const WorkerSettings& settings, int index)
    : settings_(settings), folder_{settings.campaign / "workers" / std::to_string(index)} {
  folder_.make();
  std::error_code ignored;
  if (fs::is_regular_file(folder_.status(), ignored))
    if (const auto before = read_worker_status(read_whole(folder_.status().string()))) {
      status_ = *before;
      started_before_ = true;
    }
  status_.index = index;
  status_.running = false;
  count_ = folder_.read_count();
  programs_then_ = status_.programs = count_.tally.programs;
}

void WorkerPost::start(const Role& role) {
  status_.role = role.name;
  if (started_before_) ++status_.restarts;
  started_before_ = true;
  const auto seed = mix_bits(settings_.seed, static_cast<std::uint64_t>(status_.index) + 1, status_.restarts);
  Command command{.program = role.sanitized ? settings_.sanitized : settings_.program, .log = folder_.log()};
  command.arguments = {
      fmt::format("-seed={}", (seed >> 33) + 1),
      fmt::format("-max_len={}", max_len),
      fmt::format("-rss_limit_mb={}", rss_limit_mb),
      "-timeout=300",  // a backstop: the supervisor's own watch is quicker
      "-reload=0",
      "-reduce_inputs=0",  // else it removes a unit before it writes the smaller one: a kill would lose both
      "-mutate_depth=1",  // each mutant from a unit that was kept, not from the mutant before
      "-entropic=0",      // its bookkeeping costs a tenth of the time, and units found late deserve most of it
      "-exact_artifact_path=" + (folder_.path / "artifact").string()};  // one: slow units are many
  for (const char* deadly : {"segv", "abrt", "bus", "ill", "fpe", "xfsz", "int", "term"})
    command.arguments.push_back(
        fmt::format("-handle_{}=0", deadly));  // the slot has the chain; the signal tells how it died
  command.arguments.insert(command.arguments.end(), role.flags.begin(), role.flags.end());
  command.arguments.push_back(folder_.corpus().string());
  if (role.starts_from_merged) command.arguments.push_back((settings_.campaign / "corpus").string());
  for (const fs::path& seeds : settings_.seeds) command.arguments.push_back(seeds.string());
  command.environment = role.environment;
  command.environment.emplace_back("GRADSMITH_WORKER", folder_.path.string());
  hung_ = killed_ = false;
  input_ = 0;
  std::error_code ignored;
  fs::remove(folder_.slot(), ignored);
  log_before_ = fs::exists(folder_.log(), ignored) ? fs::file_size(folder_.log(), ignored) : 0;
  started_ = heard_ = Clock::now();
  process_ = std::make_unique<Spawned>(command);
}

void WorkerPost::ask_to_stop() {
  if (process_) process_->signal(SIGUSR1);
}

void WorkerPost::kill() {
  killed_ = true;
  if (process_) process_->signal(SIGKILL);
}

void WorkerPost::forgive() { heard_ = Clock::now(); }

void WorkerPost::watch() {
  const auto now = Clock::now();
  if (now - glanced_ < std::chrono::seconds(1)) return;
  glanced_ = now;
  status_.peak_rss_mb = std::max(status_.peak_rss_mb, resident_mb(process_->pid(), "VmHWM:"));
  const auto at = glance_at_slot(folder_.slot());
  if (at && at->input != input_) {
    input_ = at->input;
    heard_ = now;
  }
  const double allowed = !at || at->input == 0 ? start_up : at->busy() ? settings_.silence : between;
  if (now - heard_ <= std::chrono::duration<double>(allowed)) return;
  hung_ = true;
  process_->signal(SIGKILL);
}

std::optional<PostDeath> WorkerPost::poll() {
  if (!process_) return std::nullopt;
  const auto ended = process_->poll();
  if (!ended) {
    if (!hung_ && !killed_) watch();
    return std::nullopt;
  }
  process_.reset();
  const bool well = ended->clean() || ended->signal == SIGUSR1;  // asked to stop before the engine listened
  const bool early = Clock::now() - started_ < std::chrono::duration<double>(too_early);
  const auto at = read_slot(folder_.slot());
  const bool busy = at && at->busy();  // then the chain is to blame, however early it comes
  if ((!early && !hung_) || well || busy) false_starts_ = 0;
  const bool said_nothing = hung_ && !at;
  if (!well && !busy && ((early && ended->signal != SIGKILL) || said_nothing)) ++false_starts_;
  if (well) return std::nullopt;
  const bool ours = ended->code == exit_usage || ended->code == exit_missing || ended->code == 127;
  if (ours || false_starts_ >= most_false_starts)
    throw EnvironmentError{
        fmt::format("worker {} does not run: {}; its log is {}", status_.index, last_words(), folder_.log().string())};
  PostDeath death{.how = hung_ || ended->code == 70 ? "hang" : ended_name(*ended)};
  if (auto report = hung_ ? std::nullopt : sanitizer_report(tail_of(folder_.log(), log_since_start()))) {
    death.how = report->kind;
    death.report = std::move(report->words);
  }
  if (busy) death.at = at;
  status_.last_death = fmt::format("{} {}", death.how, busy ? "in " + at->phase : "between inputs");
  return death;
}

std::size_t WorkerPost::log_since_start() const {
  std::error_code ignored;
  const auto size = fs::file_size(folder_.log(), ignored);
  if (ignored) return 0;
  return std::min<std::uintmax_t>(size < log_before_ ? size : size - log_before_, longest_report);
}

std::string WorkerPost::last_words() const {
  std::string text = tail_of(folder_.log(), 4096);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text.erase(0, text.rfind('\n') + 1);
  return text.empty() ? "it says nothing" : text;
}

void WorkerPost::update_status(double seconds) {
  const auto now = Clock::now();
  const double passed = std::chrono::duration<double>(now - updated_).count();
  updated_ = now;
  count_ = folder_.read_count();
  status_.running = running();
  status_.programs = count_.tally.programs;
  status_.findings = count_.findings;
  status_.programs_per_second =
      static_cast<double>(status_.programs - std::min(programs_then_, status_.programs)) / passed;
  programs_then_ = status_.programs;
  status_.rss_mb = process_ ? resident_mb(process_->pid(), "VmRSS:") : 0;
  bound_log(folder_.log());
  const std::string log = tail_of(folder_.log(), 4096);
  if (const auto features = last_number(log, " ft: "); features > status_.features) {
    status_.features = features;
    status_.last_new = seconds;
  }
  if (const auto units = last_number(log, " corp: ")) status_.units = units;
  write_atomically(folder_.status(), as_json(status_));
}

}  // namespace gradsmith
