// A run's or a campaign's summary as its last words on standard output. Pure functions.
#pragma once

#include <filesystem>
#include <string>

#include "harness/record.hpp"

namespace gradsmith {

/// Counts, witnesses, findings, and where the records are; lines with their ends.
std::string summary_words(const Summary& summary, bool interrupted, const std::filesystem::path& folder);
/// One line of progress: programs, rate, findings.
std::string progress_words(const Tally& tally, double per_second, std::size_t new_findings, std::size_t known_findings);

}  // namespace gradsmith
