// `gradsmith merge`: the fewest chains that reach what campaigns or folders of chains reach, stored as a corpus that
// `replay` checks and `fuzz` starts from.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "harness/claim.hpp"
#include "harness/commands.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/interrupt.hpp"
#include "harness/merge.hpp"
#include "harness/pool.hpp"
#include "harness/print.hpp"
#include "harness/worker_folder.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

/// FNV-1a, as 16 digits: equal chains get equal names.
std::string name_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return fmt::format("{:016x}.chain", hash);
}

/// A campaign's units as they lie there; of another folder the chains, written to `scratch` in canonical form.
std::vector<fs::path> units_of(const fs::path& folder, const fs::path& scratch) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) throw UsageError{fmt::format("{}: no such folder", folder.string())};
  if (fs::exists(folder / "campaign.json", ignored)) {
    std::vector<fs::path> folders{folder / "corpus"};
    for (const WorkerFolder& worker : worker_folders(folder)) folders.push_back(worker.corpus());
    return settled_units(folders);
  }
  make_folder(scratch);
  std::vector<fs::path> units;
  for (const std::string& file : chain_files({folder.string()})) {
    const auto loaded = load_chain(file);
    if (const auto* error = std::get_if<std::string>(&loaded)) throw UsageError{*error};
    Chain chain = std::get<Chain>(loaded);
    chain.comments.clear();
    chain.remarks.clear();
    const std::string text = print(chain);
    units.push_back(scratch / name_of(text));
    write_atomically(units.back(), text);
  }
  return units;
}

struct Kept {
  Chain chain;
  std::string file;
};

std::vector<Kept> chains_of(const Merge& merge) {
  std::vector<Kept> kept;
  for (const std::string& name : merge.chosen()) {
    auto parsed = parse(read_chain_text((merge.chosen_folder() / name).string()));
    auto* chain = std::get_if<Chain>(&parsed);
    if (!chain) continue;  // bytes that the engine could use and `replay` cannot
    chain->comments.clear();
    chain->remarks.clear();
    kept.push_back({*chain, name_of(print(*chain))});
  }
  return kept;
}

/// How many chains were not written, and why.
struct LeftOut {
  std::size_t findings = 0, undecided = 0;
};

/// Judges the chains and writes those that claim something, with their claim.
LeftOut store(std::vector<Kept>& kept, const fs::path& out) {
  LeftOut left_out;
  run_pool({.count = kept.size(),
            .jobs = std::max(1, static_cast<int>(std::thread::hardware_concurrency())),
            .begin = [](int) { initialize_libtorch(); },
            .work =
                [&](int, std::uint64_t index) {
                  const Verdict verdict = judge(kept[index].chain);
                  return verdict.status == Status::finding ? "-" : claim_words(verdict).value_or("");
                },
            .done =
                [&](std::uint64_t index, std::string_view answer) {
                  if (answer == "-") {
                    ++left_out.findings;
                  } else if (answer.empty()) {
                    ++left_out.undecided;
                  } else {
                    kept[index].chain.comments = {fmt::format("expect: {}", answer)};
                    write_atomically(out / kept[index].file, print(kept[index].chain));
                  }
                },
            .died = [&](std::uint64_t, const Death&) { ++left_out.findings; },
            .keep_going = [] { return !interrupted(); }});
  return left_out;
}

}  // namespace

int command_merge(const MergeOptions& options) {
  const fs::path program = worker_program(options.worker), out = options.out;
  std::error_code ignored;
  if (fs::exists(out, ignored) && (!fs::is_directory(out, ignored) || !fs::is_empty(out, ignored)))
    throw UsageError{fmt::format("-o {}: not an empty folder", options.out)};
  make_folder(out);
  catch_interrupts();
  const fs::path scratch = out / "scratch";
  std::vector<fs::path> units;
  for (const std::string& folder : options.folders)
    for (fs::path& unit : units_of(folder, scratch / "canonical")) units.push_back(std::move(unit));
  Merge merge(program, scratch / "merge", units);
  std::optional<bool> good;
  while (!good && !interrupted()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    good = merge.poll();
  }
  if (good && !*good) throw EnvironmentError{fmt::format("the merge went wrong; its log is {}", merge.log().string())};
  std::vector<Kept> kept = good ? chains_of(merge) : std::vector<Kept>{};
  const LeftOut left_out = store(kept, out);
  fs::remove_all(scratch, ignored);
  if (interrupted()) throw EnvironmentError{fmt::format("interrupted; {} is not complete", options.out)};
  fmt::print("{} units: {} kept in {}; left out: {} that show findings, {} undecided\n", merge.gathered(),
             kept.size() - left_out.findings - left_out.undecided, options.out, left_out.findings, left_out.undecided);
  return exit_clean;
}

}  // namespace gradsmith
