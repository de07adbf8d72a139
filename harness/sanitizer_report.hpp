// What a sanitizer said when it ended a process, found in the process' log. Knows their wording; nothing of processes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gradsmith {

struct SanitizerReport {
  std::string kind{};   ///< one word, safe in a file name: "heap-buffer-overflow", "leak"
  std::string words{};  ///< the report with its stacks, 8 KiB at most
};

/// The last report in a log; nothing if there is none that is whole.
std::optional<SanitizerReport> sanitizer_report(std::string_view log);

}  // namespace gradsmith
