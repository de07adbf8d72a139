#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/progress.hpp"
#include "harness/report.hpp"

namespace gradsmith {
namespace {

constexpr std::size_t most_sentences = 20;  // of what coverage never reached, per domain

std::string plural(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", with_commas(count), noun, count == 1 ? "" : "s");
}

/// A cell must not end its row.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string findings_section(const Report& report) {
  std::string fresh, known;
  std::size_t new_count = 0;
  for (const ReportedRun& run : report.runs)
    for (const ReportedFinding& finding : run.findings) {
      if (finding.known) {
        known += fmt::format("| {} | {} | {} |\n", finding.signature, with_commas(finding.count), cell(finding.file));
        continue;
      }
      ++new_count;
      fresh +=
          fmt::format("### {}\n\n{}\n\n- ops: {}\n- seen: {} in {}; {}\n- replay: `gradsmith replay {}`\n\n",
                      finding.signature, finding.headline, fmt::join(finding.ops, ", "), plural(finding.count, "time"),
                      run.folder, plural(static_cast<std::uint64_t>(finding.steps), "step"), finding.file);
      if (!finding.chain.empty()) fresh += fmt::format("```\n{}```\n\n", finding.chain);
    }
  std::string out =
      new_count == 0 ? "## No new findings\n\n" : fmt::format("## {}\n\n", plural(new_count, "new finding"));
  out += fresh;
  if (!known.empty()) out += "## Known issues\n\n| signature | seen | chain |\n| --- | ---: | --- |\n" + known + "\n";
  return out;
}

std::string runs_section(const Report& report) {
  std::string out =
      "## Programs\n\n| run | programs | accepted | refused as they must | known holes | inconclusive | discarded | "
      "seconds |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const ReportedRun& run : report.runs)
    out += fmt::format("| {}{} | {} | {} | {} | {} | {} | {} | {:.1f} |\n", cell(run.folder),
                       run.finished ? "" : " (not finished)", with_commas(run.programs), with_commas(run.accepted),
                       with_commas(run.agreed_raise), with_commas(run.known_hole), with_commas(run.inconclusive),
                       with_commas(run.discarded), run.seconds);
  return out + "\n";
}

std::string witnesses_section(const Report& report) {
  std::string out =
      "## Witnesses\n\n| run | witness | agrees | disagrees | inconclusive | skipped |\n"
      "| --- | --- | ---: | ---: | ---: | ---: |\n";
  for (const ReportedRun& run : report.runs)
    for (const auto& of : run.witnesses)
      out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", cell(run.folder), of.witness, with_commas(of.agree),
                         with_commas(of.disagree), with_commas(of.inconclusive), with_commas(of.skipped));
  return out + "\n";
}

/// Buffers saved per step, "1.00": a buffer is as large as the tensor written.
std::string buffers(std::int64_t bytes, std::int64_t target) {
  return target == 0 ? "" : fmt::format("{:.2f}", static_cast<double>(bytes) / static_cast<double>(target));
}

void delta_row(std::string& out, const std::string& op, std::string_view mode, const OpDelta& delta) {
  if (delta.steps == 0) return;
  const std::uint64_t timed = delta.ratio.total();
  out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", op, mode, with_commas(delta.steps),
                     with_commas(timed), timed > 0 ? fmt::format("{:.2f}", delta.ratio.median()) : "",
                     buffers(delta.live, delta.target), buffers(delta.peak, delta.target), delta.live, delta.peak);
}

std::string deltas_section(const ReportTotals& sums) {
  if (sums.deltas.empty()) return "";
  std::string out = fmt::format(
      "## In place against out of place\n\n"
      "Per step of an in-place form that ran in a program and, out of place, in its twin. *time*: median of in place "
      "by out of place, over the steps that were *timed*; the same call in both gives {:.2f} ({} calls). *saved*: in "
      "buffers as large as the tensor written, after the step and at its highest, and in bytes over all steps; "
      "negative: costs.\n\n"
      "| op | mode | steps | timed | time | saved after | saved at most | bytes after | bytes at most |\n"
      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
      sums.control.median(), with_commas(sums.control.total()));
  for (const auto& [op, deltas] : sums.deltas) {
    delta_row(out, op, "training", deltas.recorded);
    delta_row(out, op, "no gradient", deltas.unrecorded);
  }
  return out + "\n";
}

std::string ops_section(const ReportTotals& sums) {
  if (sums.ops.empty()) return "";
  std::string out = "## Ops\n\n| op | out of place | in place |\n| --- | ---: | ---: |\n", unused;
  for (const auto& [op, use] : sums.ops) {
    if (use.out_of_place + use.in_place == 0)
      unused += (unused.empty() ? "" : ", ") + op;
    else
      out += fmt::format("| {} | {} | {} |\n", op, with_commas(use.out_of_place), with_commas(use.in_place));
  }
  if (!unused.empty()) out += fmt::format("\nNot used: {}.\n", unused);
  return out + "\n";
}

std::string coverage_section(const Report& report) {
  std::string out;
  for (const ReportedRun& run : report.runs) {
    if (run.coverage.empty()) continue;
    out += fmt::format("## Coverage of {}\n\n| domain | reached | of |\n| --- | ---: | ---: |\n", run.folder);
    for (const ReportedCoverage& one : run.coverage)
      out += fmt::format("| {} | {} | {} |\n", cell(one.domain), with_commas(one.reached), with_commas(one.total));
    for (const ReportedCoverage& one : run.coverage) {
      if (one.never.empty()) continue;
      out += fmt::format("\nNever reached in {}:\n\n", one.domain);
      for (std::size_t i = 0; i < one.never.size() && i < most_sentences; ++i)
        out += fmt::format("- {}\n", one.never[i]);
      if (one.never.size() > most_sentences) out += fmt::format("- and {} more\n", one.never.size() - most_sentences);
    }
    out += "\n";
  }
  return out;
}

std::string course_section(const Report& report) {
  std::string out;
  for (const ReportedRun& run : report.runs) {
    if (run.course.empty()) continue;
    out += fmt::format(
        "## Course of {}\n\n*features*: of the worker that has most; *MiB*: of each worker's process at that "
        "moment.\n\n"
        "| seconds | programs | features | corpus | new findings | MiB |\n| ---: | ---: | ---: | ---: | ---: | --- |\n",
        run.folder);
    for (const ReportedMoment& at : run.course)
      out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", with_commas(at.seconds), with_commas(at.programs),
                         with_commas(at.features), with_commas(at.units), with_commas(at.findings_new),
                         fmt::join(at.rss_mb, " "));
    out += "\n";
  }
  return out;
}

std::string environment_section(const Report& report) {
  std::string out =
      "## Environment\n\n| run | GradSmith | LibTorch | CPU | device | dtype | seed |\n| --- | --- | --- | --- | --- | "
      "--- | --- |\n";
  for (const ReportedRun& run : report.runs)
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", cell(run.folder), run.version, run.libtorch, run.cpu,
                       run.device, run.dtype, run.seed ? fmt::to_string(*run.seed) : "");
  return out;
}

}  // namespace

std::string markdown(const Report& report) {
  const ReportTotals sums = totals(report);
  return "# GradSmith\n\n" + findings_section(report) + runs_section(report) + witnesses_section(report) +
         deltas_section(sums) + course_section(report) + coverage_section(report) + ops_section(sums) +
         environment_section(report);
}

}  // namespace gradsmith
