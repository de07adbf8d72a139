#include "harness/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/exits.hpp"
#include "harness/files.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

Store::Store(fs::path folder) : folder_(std::move(folder)) {
  make_folder(folder_);
  make_folder(folder_ / "findings");
  std::error_code error;
  if (fs::is_directory(folder_ / "slots", error)) {
    fs::remove_all(folder_ / "slots.interrupted", error);
    fs::rename(folder_ / "slots", folder_ / "slots.interrupted", error);
    was_interrupted_ = true;
  }
  const auto file = folder_ / "records.jsonl";
  records_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (records_ < 0)
    throw EnvironmentError{fmt::format("{}: cannot be written: {}", file.string(), std::strerror(errno))};
}

Store::~Store() {
  if (records_ >= 0) ::close(records_);
}

void Store::append(std::string_view record) {
  std::string line(record);
  line += '\n';
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t put = ::write(records_, line.data() + done, line.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw EnvironmentError{fmt::format("records.jsonl: cannot be written: {}", std::strerror(errno))};
    done += static_cast<std::size_t>(put);
  }
  dirty_ = true;
}

void Store::sync() {
  if (dirty_ && ::fsync(records_) != 0 && errno != EINVAL)  // EINVAL: a special file, which has nothing to sync
    throw EnvironmentError{fmt::format("records.jsonl: cannot be written: {}", std::strerror(errno))};
  dirty_ = false;
}

std::string Store::write_finding(const std::string& signature, const std::string& name, std::string_view text) {
  const fs::path relative = fs::path("findings") / signature / name;
  make_folder((folder_ / relative).parent_path());
  write_atomically(folder_ / relative, text);
  return relative.string();
}

std::optional<std::string> Store::read_finding(const std::string& signature, const std::string& name) const {
  const fs::path file = folder_ / "findings" / signature / name;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  return read_whole(file.string());
}

void Store::write_summary(std::string_view json) { write_atomically(folder_ / "summary.json", json); }

std::vector<Slot> Store::make_slots(int workers) {
  make_folder(folder_ / "slots");
  std::vector<Slot> slots;
  for (int k = 0; k < workers; ++k) slots.emplace_back(folder_ / "slots" / fmt::format("worker-{}.chain", k));
  return slots;
}

void Store::remove_slots() {
  std::error_code ignored;  // a folder that stays is only mistaken for an interrupted run
  fs::remove_all(folder_ / "slots", ignored);
}

}  // namespace gradsmith
