// Runs chains on a device ahead of their judgement, in a thread of its own: what starting kernels and waiting for them costs
// is hidden behind the other witnesses. Knows the executor and the model of refusals; no LibTorch.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "harness/device_lost.hpp"
#include "harness/exits.hpp"
#include "harness/outcome.hpp"

namespace gradsmith {

/// What a run on a device came to: an outcome, or why there is none.
using DeviceResult = std::variant<Outcome, DeviceLost, EnvironmentError>;

/// Runs a chain on the device, in this thread.
DeviceResult run_on_device(const Chain& chain, const std::vector<Value>& roots, const std::string& device);

/// One device's queue. One at a time in a process, which has the device open; made and ended by the thread that judges.
class DeviceAhead {
 public:
  /// Returns when its thread is ready.
  explicit DeviceAhead(std::string device);
  DeviceAhead(const DeviceAhead&) = delete;
  DeviceAhead& operator=(const DeviceAhead&) = delete;
  /// Waits for the run under way; what is still queued is not run.
  ~DeviceAhead();

  /// Puts a chain down to be run. It must live, where it is, until forget(): its address is its name.
  void run(const Chain& chain);
  /// The chain was judged: a result that nobody took is dropped.
  void forget(const Chain& chain);
  /// The result for that very chain, waiting for it; nothing if it was not put down, or not for this device. Given once.
  /// Runs are done in order, so that all before a lost one are complete.
  static std::optional<DeviceResult> take(const Chain& chain, const std::string& device);

 private:
  void work();
  const std::string device_;
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::deque<const Chain*> waiting_{};
  const Chain* under_way_ = nullptr;
  std::map<const Chain*, DeviceResult> done_{};
  bool ready_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace gradsmith
