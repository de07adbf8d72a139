#include "harness/device_ahead.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "harness/device.hpp"
#include "harness/execute.hpp"
#include "harness/expect.hpp"
#include "harness/judge.hpp"
#include "harness/process.hpp"

namespace gradsmith {

namespace {

DeviceAhead* only = nullptr;

}  // namespace

void end_without_device(const DeviceLost& lost) {
  last_words(lost.words);
  if (!speaks()) std::fprintf(stderr, "%s\n", lost.words.c_str());
  ::_exit(exit_device_lost);
}

DeviceResult run_on_device(const Chain& chain, const std::vector<Value>& roots, const std::string& device) {
  try {
    const OnDevice there(device);
    return execute(chain, roots);
  } catch (DeviceLost& lost) {
    return std::move(lost);
  } catch (EnvironmentError& error) {
    return std::move(error);
  }
}

DeviceAhead::DeviceAhead(std::string device) : device_(std::move(device)), thread_([this] { work(); }) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ready_; });
  only = this;
}

DeviceAhead::~DeviceAhead() {
  only = nullptr;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DeviceAhead::run(const Chain& chain) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&chain);
  }
  changed_.notify_all();
}

void DeviceAhead::forget(const Chain& chain) { take(chain, device_); }

std::optional<DeviceResult> DeviceAhead::take(const Chain& chain, const std::string& device) {
  if (!only || only->device_ != device) return std::nullopt;
  DeviceAhead& self = *only;
  std::unique_lock lock(self.mutex_);
  const auto is_due = [&] {
    return self.under_way_ == &chain ||
           std::find(self.waiting_.begin(), self.waiting_.end(), &chain) != self.waiting_.end();
  };
  self.changed_.wait(lock, [&] { return self.done_.contains(&chain) || !is_due(); });
  auto node = self.done_.extract(&chain);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

void DeviceAhead::work() {
  initialize_libtorch();  // some of it holds for one thread
  std::unique_lock lock(mutex_);
  ready_ = true;
  changed_.notify_all();
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    under_way_ = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    std::optional<DeviceResult> result;
    const auto typed = type_chain(*under_way_);
    if (const Typed* types = std::get_if<Typed>(&typed)) {
      std::vector<Value> roots;
      expect(*under_way_, *types, &roots);
      result = run_on_device(*under_way_, roots, device_);
    }
    lock.lock();
    const bool lost = result && !std::holds_alternative<Outcome>(*result);
    if (result) done_.emplace(under_way_, *std::move(result));
    under_way_ = nullptr;
    if (lost) waiting_.clear();
    changed_.notify_all();
    if (lost) return;
  }
}

}  // namespace gradsmith
