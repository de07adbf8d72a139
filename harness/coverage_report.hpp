// Coverage in words and as JSON: per domain what was reached, and what the op table makes possible and never was.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/coverage.hpp"

namespace gradsmith {

/// One domain of a corpus. `total` and `never` only where the possible features can be listed (cover_possible).
struct DomainReport {
  Domain domain{};
  std::size_t reached = 0;              ///< of the possible features, or of all names where nothing lists them
  std::optional<std::size_t> total{};   ///< possible features
  std::size_t further = 0;              ///< names reached that no list has, beside listed ones
  std::vector<std::string> never{};     ///< possible and not reached, sorted
};

/// All domains in order, of what was reached by name.
std::vector<DomainReport> coverage_report(const Reached& reached);
/// The reports as a JSON array of {domain, reached, total, further, never}; `total` is null where nothing lists them.
std::string coverage_json(const std::vector<DomainReport>& reports);
/// A table, then some of what was never reached, writes that meet saved tensors first.
std::string coverage_words(const std::vector<DomainReport>& reports, std::size_t chains);

}  // namespace gradsmith
