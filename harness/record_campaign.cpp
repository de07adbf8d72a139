// The JSON forms of campaign_status.hpp.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/campaign_status.hpp"

namespace gradsmith {

using Json = nlohmann::json;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CampaignIdentity, format, version, libtorch, seed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(WorkerStatus, index, role, running, programs, programs_per_second,
                                                features, units, rss_mb, peak_rss_mb, restarts, last_death, last_new,
                                                findings)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(HistoryPoint, seconds, programs, features, units, findings_new,
                                                findings_known, rss_mb, rss_of_workers_mb)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CampaignStatus, state, seconds, limit, workers, merges, unmerged,
                                                disk_mb, now, history, deaths)

namespace {

std::string text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

template <class Value>
std::optional<Value> read(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    return json.get<Value>();
  } catch (const Json::exception&) {  // a type that does not fit
    return std::nullopt;
  }
}

}  // namespace

std::string as_json(const CampaignIdentity& identity) { return text(identity); }
std::string as_json(const WorkerStatus& status) { return text(status); }
std::string as_json(const CampaignStatus& status) { return text(status); }
std::string as_json(const CampaignStatus& status, const std::vector<WorkerStatus>& workers) {
  Json json = status;
  json["each"] = workers;
  return text(json);
}

std::optional<CampaignIdentity> read_identity(std::string_view json) {
  const Json whole = Json::parse(json, nullptr, false);
  // A seed that is missing or negative would be read as another seed.
  if (!whole.is_object() || !whole.contains("seed") || !whole["seed"].is_number_unsigned()) return std::nullopt;
  return read<CampaignIdentity>(json);
}
std::optional<WorkerStatus> read_worker_status(std::string_view json) { return read<WorkerStatus>(json); }
std::optional<CampaignStatus> read_campaign_status(std::string_view json) { return read<CampaignStatus>(json); }

}  // namespace gradsmith
