#include "harness/slot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "harness/exits.hpp"

namespace gradsmith {

Slot::Slot(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  // Blocks are reserved here: a full disk must show now, not as SIGBUS at some write.
  int error = fd < 0 ? errno : ::posix_fallocate(fd, 0, capacity);
  if (error == 0) {
    void* memory = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
      error = errno;
    else
      memory_ = static_cast<char*>(memory);
  }
  if (fd >= 0) ::close(fd);
  if (error != 0) throw EnvironmentError{fmt::format("{}: cannot be written: {}", file.string(), std::strerror(error))};
  std::memset(memory_, '\n', capacity);
}

Slot::Slot(Slot&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), used_(std::exchange(other.used_, 0)) {}

Slot::~Slot() {
  if (memory_) ::munmap(memory_, capacity);
}

void Slot::patch(std::size_t at, std::string_view text) {
  if (at >= used_) return;
  std::memcpy(memory_ + at, text.data(), std::min(text.size(), used_ - at));
}

void Slot::write(std::string_view text, std::string_view instead) {
  if (text.size() > capacity) text = instead;
  std::memcpy(memory_, text.data(), text.size());
  if (text.size() < used_) std::memset(memory_ + text.size(), '\n', used_ - text.size());
  used_ = text.size();
}

}  // namespace gradsmith
