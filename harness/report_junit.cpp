#include <fmt/format.h>

#include <algorithm>

#include "harness/report.hpp"

namespace gradsmith {
namespace {

/// Text or an attribute's value. What XML 1.0 cannot hold becomes '?': a message of LibTorch may have any bytes.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  return out;
}

std::string finding_case(const ReportedFinding& finding) {
  std::string out = fmt::format("    <testcase classname=\"gradsmith.findings\" name=\"{}\" time=\"0\">\n",
                                escaped(finding.signature));
  if (finding.known)
    out += fmt::format("      <skipped message=\"known issue, seen {} times: {}\"/>\n", finding.count,
                       escaped(finding.file));
  else
    out += fmt::format(
        "      <failure type=\"{}\" message=\"{}\">{}</failure>\n", escaped(finding.kind), escaped(finding.headline),
        escaped(fmt::format("seen {} times\ngradsmith replay {}\n\n{}", finding.count, finding.file, finding.chain)));
  return out + "    </testcase>\n";
}

std::string suite(const ReportedRun& run) {
  const auto is_known = [](const ReportedFinding& finding) { return finding.known; };
  const auto known = std::count_if(run.findings.begin(), run.findings.end(), is_known);
  std::string out = fmt::format(
      "  <testsuite name=\"gradsmith {}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3f}\">\n"
      "    <properties>\n",
      escaped(run.folder), run.witnesses.size() + run.findings.size(),
      static_cast<std::ptrdiff_t>(run.findings.size()) - known, known, run.seconds);
  const auto property = [&](std::string_view name, std::string_view value) {
    out += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, escaped(value));
  };
  property("version", run.version);
  property("libtorch", run.libtorch);
  property("device", run.device);
  property("dtype", run.dtype);
  if (run.seed) property("seed", fmt::to_string(*run.seed));
  property("programs", fmt::to_string(run.programs));
  out += "    </properties>\n";
  for (const auto& of : run.witnesses)
    out += fmt::format(
        "    <testcase classname=\"gradsmith.witnesses\" name=\"{}\" time=\"0\">\n"
        "      <system-out>agrees {}, disagrees {}, inconclusive {}, skipped {}</system-out>\n    </testcase>\n",
        escaped(of.witness), of.agree, of.disagree, of.inconclusive, of.skipped);
  for (const ReportedFinding& finding : run.findings) out += finding_case(finding);
  return out + "  </testsuite>\n";
}

}  // namespace

std::string junit(const Report& report) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gradsmith\">\n";
  for (const ReportedRun& run : report.runs) out += suite(run);
  return out + "</testsuites>\n";
}

}  // namespace gradsmith
