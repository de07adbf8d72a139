// Records and summaries as JSON. The only place, with its source, that knows the JSON library; pure functions of data.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/campaign_status.hpp"
#include "harness/tally.hpp"

namespace gradsmith {

/// Where a record comes from.
struct Provenance {
  std::uint64_t seed = 0, index = 0;
  double seconds = 0;  ///< what the judge took
  std::string libtorch{}, cpu{};
  std::string device = "cpu";
};

/// One line of records.jsonl, without newline: chain, verdict, evidence, versions.
std::string record_line(const Chain& chain, const Verdict& verdict, const Provenance& from);
/// The line for a chain whose judging killed or stopped the process: no outcome, only the signature and what happened.
std::string record_line(const Chain& chain, const Signature& signature, std::string_view what, const Provenance& from);

/// One distinct finding of a run.
struct FindingEntry {
  std::string signature{}, kind{};
  std::vector<std::string> ops{};  ///< the guilty ones if known, else those of the reduced chain
  std::uint64_t count = 0;
  bool known = false;
  int steps = 0;       ///< of the stored chain
  std::string file{};  ///< the stored chain; relative to the output folder unless known
  std::string since{}, link{};  ///< of a known issue, from its header
};

/// A run, as summary.json tells it.
struct Summary {
  std::string libtorch{}, device = "cpu", dtype = "f64";
  LaneSet lanes{};
  std::uint64_t seed = 0;
  double seconds = 0;
  bool finished = false;  ///< false: interim, or stopped before its end
  Tally tally{};
  std::vector<FindingEntry> findings{};    ///< sorted by signature
  std::vector<std::string> now_passing{};  ///< files of known issues that show no finding any more
  std::vector<HistoryPoint> course{};      ///< of a campaign: its growth and its workers' memory over time
};
/// summary.json, indented, with a newline at the end. Keys: design.md, section 7.
std::string summary_json(const Summary& summary);

/// The op counts of a summary by op name, or what is wrong with the text.
std::variant<std::map<std::string, OpUse>, std::string> op_uses(std::string_view summary_text);

/// The op table as JSON.
std::string op_table_json();

}  // namespace gradsmith
