// `gradsmith merge`: the fewest chains that reach what campaigns or folders of chains reach, stored as a corpus that
// `replay` checks and `fuzz` starts from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <thread>

#include "harness/claim.hpp"
#include "harness/commands.hpp"
#include "harness/coverage.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/interrupt.hpp"
#include "harness/merge.hpp"
#include "harness/parse.hpp"
#include "harness/pool.hpp"
#include "harness/print.hpp"
#include "harness/set_cover.hpp"
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

/// Texts of a campaign's units that are chains, or of a folder's chains, without comments; each once.
void gather(const fs::path& folder, std::set<std::string>& texts) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) throw UsageError{fmt::format("{}: no such folder", folder.string())};
  const auto take = [&](Chain chain) {
    chain.comments.clear();
    chain.remarks.clear();
    texts.insert(print(chain));
  };
  if (fs::exists(folder / "campaign.json", ignored)) {
    std::vector<fs::path> folders{folder / "corpus"};
    for (const WorkerFolder& worker : worker_folders(folder)) folders.push_back(worker.corpus());
    for (const fs::path& unit : settled_units(folders)) {
      auto parsed = parse(read_chain_text(unit.string()));
      if (auto* chain = std::get_if<Chain>(&parsed)) take(std::move(*chain));  // the engine keeps other bytes too
    }
    return;
  }
  for (const std::string& file : chain_files({folder.string()})) {
    auto loaded = load_chain(file);
    if (const auto* error = std::get_if<std::string>(&loaded)) throw UsageError{*error};
    take(std::get<Chain>(std::move(loaded)));
  }
}

/// A chain that claims something, and what it reaches.
struct Candidate {
  std::string text, claim;
  std::vector<std::uint32_t> features;  // a counter and its level: 8 * counter + level, as the engine tells them apart
};

/// What a judging process says of a chain: its claim, then its features, apart by spaces. Empty: a finding; "-": undecided.
std::string answer_on(const Chain& chain) {
  Reached reached;
  const Verdict verdict = judge(chain, {.witnesses = of_every_witness(true), .coverage = &reached});  // as replay asks
  if (verdict.status == Status::finding) return {};
  std::vector<std::uint32_t> features;
  for (const std::uint32_t counter : reached.counters()) features.push_back(8 * counter + reached.level(counter));
  return fmt::format("{}\n{}", claim_words(verdict).value_or("-"), fmt::join(features, " "));
}

struct Judged {
  std::vector<Candidate> candidates{};
  std::size_t findings = 0, undecided = 0;
};

Judged judge_all(const std::vector<std::string>& texts) {
  Judged out;
  std::vector<Candidate> all(texts.size());
  run_pool({.count = texts.size(),
            .jobs = std::max(1, static_cast<int>(std::thread::hardware_concurrency())),
            .begin = [](int) { initialize_libtorch(); },
            .work = [&](int, std::uint64_t index) { return answer_on(std::get<Chain>(parse(texts[index]))); },
            .done =
                [&](std::uint64_t index, std::string_view answer) {
                  Candidate& one = all[index];
                  one.claim = answer.substr(0, answer.find('\n'));
                  if (one.claim.empty()) ++out.findings;
                  if (one.claim == "-") ++out.undecided;
                  if (one.claim.empty() || one.claim == "-") return;
                  one.text = texts[index];
                  std::uint32_t feature = 0;
                  for (const char* at = answer.data() + one.claim.size() + 1; at < answer.data() + answer.size(); ++at) {
                    at = std::from_chars(at, answer.data() + answer.size(), feature).ptr;
                    one.features.push_back(feature);
                  }
                },
            .died = [&](std::uint64_t, const Death&) { ++out.findings; },
            .keep_going = [] { return !interrupted(); }});
  for (Candidate& one : all)
    if (!one.text.empty()) out.candidates.push_back(std::move(one));
  // Of chains that reach equally much the shortest is taken.
  std::stable_sort(out.candidates.begin(), out.candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.text.size() < b.text.size(); });
  return out;
}

}  // namespace

int command_merge(const MergeOptions& options) {
  const fs::path out = options.out;
  std::error_code ignored;
  if (fs::exists(out, ignored) && (!fs::is_directory(out, ignored) || !fs::is_empty(out, ignored)))
    throw UsageError{fmt::format("-o {}: not an empty folder", options.out)};
  make_folder(out);
  catch_interrupts();
  std::set<std::string> texts;
  for (const std::string& folder : options.folders) gather(folder, texts);
  const Judged judged = judge_all({texts.begin(), texts.end()});
  if (interrupted()) throw EnvironmentError{fmt::format("interrupted; nothing was written to {}", options.out)};
  std::vector<std::vector<std::uint32_t>> sets;
  for (const Candidate& one : judged.candidates) sets.push_back(one.features);
  const std::vector<std::size_t> chosen = set_cover(sets, options.most);
  for (const std::size_t index : chosen) {
    const Candidate& one = judged.candidates[index];
    Chain chain = std::get<Chain>(parse(one.text));
    chain.comments = {fmt::format("expect: {}", one.claim)};
    write_atomically(out / name_of(one.text), print(chain));
  }
  fmt::print("{} chains: {} kept in {}; left out: {} that show findings, {} undecided\n", texts.size(), chosen.size(),
             options.out, judged.findings, judged.undecided);
  return exit_clean;
}

}  // namespace gradsmith
