// Reads the output folder of a run or campaign for a report.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/report.hpp"

namespace gradsmith {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// One JSON file; a key that is missing or of another type is named with it.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)), json_(Json::parse(read_whole(file_), nullptr, false)) {
    if (json_.is_discarded()) fail("not JSON");
  }
  const Json& json() const { return json_; }
  [[noreturn]] void fail(std::string_view what) const { throw UsageError{fmt::format("{}:1:1: {}", file_, what)}; }

  template <class T>
  T get(const Json& of, const char* key) const {
    try {
      return of.at(key).get<T>();
    } catch (const Json::exception&) {
      fail(fmt::format("no \"{}\" as a run writes it", key));
    }
  }
  template <class T>
  T get_or(const Json& of, const char* key, T otherwise) const {
    return of.is_object() && of.contains(key) ? get<T>(of, key) : otherwise;
  }

 private:
  std::string file_;
  Json json_;
};

RatioHistogram histogram(const Reader& in, const Json& of) {
  const auto read = RatioHistogram::from(in.get<std::string>(of, "time_ratio_classes"));
  if (!read) in.fail("\"time_ratio_classes\" is no list of CLASS:COUNT");
  return *read;
}

OpDelta delta(const Reader& in, const Json& of) {
  return {.steps = in.get<std::uint64_t>(of, "steps"),
          .ratio = histogram(in, of),
          .live = in.get<std::int64_t>(of, "saved_live_bytes"),
          .peak = in.get<std::int64_t>(of, "saved_peak_bytes"),
          .target = in.get<std::int64_t>(of, "target_bytes")};
}

/// The third line of finding.md is the headline.
std::string headline_of(const fs::path& page) {
  std::error_code none;
  if (!fs::is_regular_file(page, none)) return {};
  const std::string text = read_whole(page);
  std::size_t start = 0;
  for (int line = 0; line < 2 && start != std::string::npos; ++line) {
    start = text.find('\n', start);
    if (start != std::string::npos) ++start;
  }
  return start == std::string::npos ? std::string() : text.substr(start, text.find('\n', start) - start);
}

ReportedFinding finding(const Reader& in, const Json& of, const fs::path& folder) {
  ReportedFinding out{.signature = in.get<std::string>(of, "signature"),
                      .kind = in.get<std::string>(of, "kind"),
                      .file = in.get<std::string>(of, "file"),
                      .ops = in.get<std::vector<std::string>>(of, "ops"),
                      .count = in.get<std::uint64_t>(of, "count"),
                      .known = in.get<bool>(of, "known"),
                      .steps = in.get<int>(of, "steps")};
  if (out.known) return out;
  const fs::path stored = folder / out.file;
  out.file = stored.string();
  out.headline = headline_of(stored.parent_path() / "finding.md");
  std::error_code none;
  if (fs::is_regular_file(stored, none)) out.chain = read_whole(stored);
  return out;
}

std::vector<ReportedCoverage> coverage(const fs::path& file) {
  std::error_code none;
  std::vector<ReportedCoverage> out;
  if (!fs::is_regular_file(file, none)) return out;
  const Reader in(file.string());
  if (!in.json().is_array()) in.fail("not a list of domains");
  for (const Json& one : in.json())
    out.push_back({in.get<std::string>(one, "domain"), in.get<std::uint64_t>(one, "reached"),
                   in.get<std::uint64_t>(one, "total"), in.get<std::vector<std::string>>(one, "never")});
  return out;
}

/// The CPU's vector capability stands in the records only.
std::string cpu_of(const fs::path& records) {
  std::error_code none;
  if (!fs::is_regular_file(records, none)) return {};
  const std::string text = read_whole(records);
  const Json first = Json::parse(text.substr(0, text.find('\n')), nullptr, false);
  return first.is_object() && first.contains("cpu_capability") && first["cpu_capability"].is_string()
             ? first["cpu_capability"].get<std::string>()
             : std::string();
}

}  // namespace

ReportedRun read_run(const std::string& folder) {
  const fs::path path(folder);
  std::error_code none;
  if (!fs::is_directory(path, none)) throw UsageError{fmt::format("{}: no folder", folder)};
  if (!is_there(path / "summary.json"))
    throw UsageError{fmt::format("{}: no summary.json in it: not the output folder of a run", folder)};
  const Reader in((path / "summary.json").string());
  const Json& json = in.json();
  ReportedRun out{.folder = folder,
                  .version = in.get<std::string>(json, "version"),
                  .libtorch = in.get<std::string>(json, "libtorch"),
                  .cpu = cpu_of(path / "records.jsonl"),
                  .device = in.get<std::string>(json, "device"),
                  .dtype = in.get<std::string>(json, "dtype"),
                  .seconds = in.get<double>(json, "seconds"),
                  .finished = in.get_or(json, "finished", true),
                  .programs = in.get<std::uint64_t>(json, "programs"),
                  .accepted = in.get<std::uint64_t>(json, "accepted"),
                  .agreed_raise = in.get<std::uint64_t>(json, "agreed_raise"),
                  .known_hole = in.get<std::uint64_t>(json, "known_hole"),
                  .inconclusive = in.get<std::uint64_t>(json, "inconclusive_total"),
                  .discarded = in.get<std::uint64_t>(json, "discarded_total")};
  if (json.contains("seed")) out.seed = in.get<std::uint64_t>(json, "seed");
  for (const std::string_view known_name : witness_names) {  // in the order they are asked
    const auto witnesses = in.get<Json>(json, "witness");
    const std::string name(known_name);
    if (!witnesses.contains(name)) continue;
    const auto total = [&](const char* key) {
      std::uint64_t sum = 0;
      for (const auto& [reason, count] : in.get<std::map<std::string, std::uint64_t>>(witnesses[name], key))
        sum += count;
      return sum;
    };
    out.witnesses.push_back({name, in.get<std::uint64_t>(witnesses[name], "agree"),
                             in.get<std::uint64_t>(witnesses[name], "disagree"), total("inconclusive"),
                             total("skipped")});
  }
  for (const Json& at : in.get_or(json, "course", std::vector<Json>{}))
    out.course.push_back({static_cast<std::uint64_t>(in.get<double>(at, "seconds")),
                          in.get<std::uint64_t>(at, "programs"), in.get<std::uint64_t>(at, "features"),
                          in.get<std::uint64_t>(at, "units"), in.get<std::uint64_t>(at, "findings_new"),
                          in.get<std::vector<std::uint64_t>>(at, "rss_mb")});
  for (const Json& one : in.get<std::vector<Json>>(json, "findings")) out.findings.push_back(finding(in, one, path));
  for (const auto& [op, use] : in.get<std::map<std::string, Json>>(json, "ops"))
    out.ops[op] = {in.get<std::uint64_t>(use, "out_of_place"), in.get<std::uint64_t>(use, "in_place")};
  for (const auto& [op, of] : in.get_or(json, "deltas", std::map<std::string, Json>{}))
    out.deltas[op] = {delta(in, in.get<Json>(of, "recorded")), delta(in, in.get<Json>(of, "unrecorded"))};
  if (json.contains("control")) out.control = histogram(in, json["control"]);
  out.coverage = coverage(path / "coverage.json");
  return out;
}

}  // namespace gradsmith
