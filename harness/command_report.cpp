// `gradsmith report`, and the report files that a run writes at its end.
#include <fmt/format.h>

#include "harness/commands.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/report.hpp"

namespace gradsmith {

void write_reports(const std::vector<std::string>& folders, const ReportFiles& files) {
  Report report;
  for (const std::string& folder : folders) report.runs.push_back(read_run(folder));
  if (files.junit) write_atomically(*files.junit, junit(report));
  if (files.markdown) write_atomically(*files.markdown, markdown(report));
  if (!files.junit && !files.markdown) fmt::print("{}", markdown(report));
}

void check_report_files(const ReportFiles& files) {
  for (const auto& file : {files.junit, files.markdown}) {
    if (!file) continue;
    const auto folder = std::filesystem::path(*file).parent_path();
    if (!folder.empty()) make_folder(folder);
  }
}

int command_report(const ReportOptions& options) {
  check_report_files(options.files);
  write_reports(options.folders, options.files);
  return exit_clean;
}

}  // namespace gradsmith
