// `gradsmith ops`: the op table, and how often a run used each op.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/commands.hpp"
#include "harness/exits.hpp"
#include "harness/files.hpp"
#include "harness/op_words.hpp"
#include "harness/record.hpp"

namespace gradsmith {

namespace {

/// Rows with columns padded to their widest cell.
void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

void print_counts(const std::string& file) {
  const auto read = op_uses(read_whole(file));
  if (const auto* error = std::get_if<std::string>(&read)) throw UsageError{fmt::format("{}:1:1: {}", file, *error)};
  const auto& uses = std::get<std::map<std::string, OpUse>>(read);
  std::vector<std::vector<std::string>> rows{{"op", "out of place", "in place"}};
  for (const Op* op : all_ops()) {
    const auto at = uses.find(std::string(op->name));
    const OpUse use = at == uses.end() ? OpUse{} : at->second;
    rows.push_back(
        {std::string(op->name), std::to_string(use.out_of_place), op->inplace ? std::to_string(use.in_place) : "-"});
  }
  print_table(rows);
}

}  // namespace

int command_ops(const OpsOptions& options) {
  if (options.summary) {
    print_counts(*options.summary);
    return exit_clean;
  }
  if (options.json) {
    fmt::print("{}", op_table_json());
    return exit_clean;
  }
  std::vector<std::vector<std::string>> rows{{"op", "forms", "parameters", "saves", "alias"}};
  for (const Op* op : all_ops())
    rows.push_back({std::string(op->name), fmt::format("{}", fmt::join(forms(*op), " ")), params_text(*op),
                    fmt::format("{}", fmt::join(saves_text(*op), ", ")), std::string(alias_name(op->alias))});
  print_table(rows);
  fmt::print("\n{} ops. saves: \"a<-b\" means that for the gradient of a the node keeps b.\n", all_ops().size());
  return exit_clean;
}

}  // namespace gradsmith
