#include "harness/campaign_status.hpp"

namespace gradsmith {

void CampaignStatus::remember(const HistoryPoint& point) {
  history.push_back(point);
  if (history.size() <= history_length) return;
  std::vector<HistoryPoint> thinned;
  for (std::size_t i = 0; i < history.size(); i += 2) thinned.push_back(history[i]);
  history = std::move(thinned);
}

std::vector<HistoryPoint> thinned(const std::vector<HistoryPoint>& points, std::size_t most) {
  if (points.size() <= most) return points;
  std::vector<HistoryPoint> few;
  for (std::size_t i = 0; i < most; ++i) few.push_back(points[i * (points.size() - 1) / (most - 1)]);
  return few;
}

}  // namespace gradsmith
