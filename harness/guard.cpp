#include "harness/guard.hpp"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <csignal>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "harness/allocator.hpp"
#include "harness/meter.hpp"
#include "harness/process.hpp"
#include "harness/under_way.hpp"

namespace gradsmith {
namespace {

constexpr std::size_t page = 4096;
constexpr int fresh = 0xff;
constexpr std::size_t margin = 64;  // bytes in front of a block that are looked at when it is freed

/// What was asked for, and the meter's mark of it.
struct Block {
  std::size_t bytes = 0;
  std::uint64_t mark = 0;
};

/// Slots of one size: 2^k pages and a page that is never opened. Freed slots queue up behind all others.
struct Shelf {
  std::size_t pages = 0;
  char* base = nullptr;
  std::vector<Block> blocks{};  // by slot; of no bytes: closed
  std::vector<std::uint32_t> ring{};
  std::size_t head = 0, free = 0;

  std::size_t stride() const { return (pages + 1) * page; }
  std::size_t slots() const { return blocks.size(); }
  bool holds(const char* at) const { return at >= base && at < base + slots() * stride(); }
  char* end_of(std::size_t slot) const { return base + slot * stride() + pages * page; }
};

/// What is known of an address, for the last words.
struct Place {
  enum class Kind { foreign, past_end, freed, in_front } kind = Kind::foreign;
  std::size_t bytes = 0, distance = 0;
};

void say(const char* detail, std::string_view verb, const Place& place);

[[noreturn]] void die(const char* detail, std::string_view verb, const Place& place) {
  say(detail, verb, place);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

bool protect(void* at, std::size_t bytes, bool open) {
  return ::mprotect(at, bytes, open ? PROT_READ | PROT_WRITE : PROT_NONE) == 0;
}

/// All guarded memory. Never destroyed: blocks may be freed by destructors of other globals.
class Yard {
 public:
  Yard() {
    constexpr std::size_t small = 2048, others = 64;
    for (std::size_t k = 0; k < shelves_.size(); ++k) {
      Shelf& shelf = shelves_[k];
      shelf.pages = std::size_t{1} << k;
      const std::size_t slots = k == 0 ? small : others;
      void* memory = ::mmap(nullptr, slots * shelf.stride(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      TORCH_CHECK(memory != MAP_FAILED, "the guard allocator gets no address space");
      shelf.base = static_cast<char*>(memory);
      shelf.blocks.resize(slots);
      for (std::size_t slot = 0; slot < slots; ++slot) shelf.ring.push_back(static_cast<std::uint32_t>(slot));
      shelf.free = slots;
    }
  }

  void* allocate(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t pages = (bytes + page - 1) / page;
    for (Shelf& shelf : shelves_)
      if (shelf.pages >= pages && shelf.free > 0)
        if (char* end = take(shelf, bytes)) return end - bytes;
    return allocate_alone(bytes, pages);
  }

  void free(void* data) {
    const std::lock_guard lock(mutex_);
    char* at = static_cast<char*>(data);
    for (Shelf& shelf : shelves_)
      if (shelf.holds(at)) return put_back(shelf, at);
    const auto known = alone_.find(data);
    if (known == alone_.end()) die("double-free", "frees", {Place::Kind::freed, 0, 0});
    const Block block = known->second;
    const std::size_t pages = (block.bytes + page - 1) / page;
    check_front(at, block.bytes, at + block.bytes - pages * page);
    ::munmap(at + block.bytes - pages * page, (pages + 1) * page);
    alone_.erase(known);
    count_out(block.bytes, block.mark);
  }

  /// In a signal handler: takes no lock, touches shelves only.
  Place place_of(const char* at) const {
    for (const Shelf& shelf : shelves_) {
      if (!shelf.holds(at)) continue;
      const std::size_t slot = static_cast<std::size_t>(at - shelf.base) / shelf.stride();
      const std::size_t bytes = shelf.blocks[slot].bytes;
      if (bytes == 0) return {Place::Kind::freed, 0, 0};
      return {Place::Kind::past_end, bytes, static_cast<std::size_t>(at - shelf.end_of(slot))};
    }
    return {};
  }

 private:
  char* take(Shelf& shelf, std::size_t bytes) {
    const std::size_t slot = shelf.ring[shelf.head];
    char* end = shelf.end_of(slot);
    if (!protect(end - shelf.pages * page, shelf.pages * page, true)) return nullptr;  // out of mappings
    shelf.head = (shelf.head + 1) % shelf.slots();
    --shelf.free;
    shelf.blocks[slot] = {bytes, count_in(bytes)};
    std::memset(end - shelf.pages * page, fresh, shelf.pages * page);
    return end;
  }

  void put_back(Shelf& shelf, char* at) {
    const std::size_t slot = static_cast<std::size_t>(at - shelf.base) / shelf.stride();
    const Block block = std::exchange(shelf.blocks[slot], {});
    if (block.bytes == 0) die("double-free", "frees", {Place::Kind::freed, 0, 0});
    char* begin = shelf.end_of(slot) - shelf.pages * page;
    check_front(at, block.bytes, begin);
    count_out(block.bytes, block.mark);
    protect(begin, shelf.pages * page, false);
    shelf.ring[(shelf.head + shelf.free) % shelf.slots()] = static_cast<std::uint32_t>(slot);
    ++shelf.free;
  }

  /// Large blocks, and small ones when their shelf is empty, get pages of their own that are unmapped when they are freed.
  void* allocate_alone(std::size_t bytes, std::size_t pages) {
    void* memory = ::mmap(nullptr, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TORCH_CHECK(memory != MAP_FAILED, "the guard allocator cannot allocate ", bytes, " bytes");
    char* end = static_cast<char*>(memory) + pages * page;
    protect(end, page, false);
    std::memset(memory, fresh, pages * page);
    alone_.emplace(end - bytes, Block{bytes, count_in(bytes)});
    return end - bytes;
  }

  /// Nothing but the allocator writes in front of a block.
  void check_front(const char* at, std::size_t bytes, const char* begin) const {
    const std::size_t look = std::min(margin, static_cast<std::size_t>(at - begin));
    for (std::size_t i = 1; i <= look; ++i)
      if (static_cast<unsigned char>(at[-static_cast<std::ptrdiff_t>(i)]) != fresh)
        die("write-in-front", "wrote", {Place::Kind::in_front, bytes, i});
  }

  std::mutex mutex_;
  std::array<Shelf, 7> shelves_{};  // 1 to 64 pages
  std::unordered_map<void*, Block> alone_{};
};

Yard& yard() {
  static auto* yard = new Yard;
  return *yard;
}

/// Text on the stack: a signal handler must not allocate.
class Line {
 public:
  Line& operator<<(std::string_view text) {
    const std::size_t size = std::min(text.size(), sizeof text_ - size_);
    std::memcpy(text_ + size_, text.data(), size);
    size_ += size;
    return *this;
  }
  Line& operator<<(std::size_t number) {
    char digits[24];
    char* at = digits + sizeof digits;
    do *--at = static_cast<char>('0' + number % 10);
    while (number /= 10);
    return *this << std::string_view(at, static_cast<std::size_t>(digits + sizeof digits - at));
  }
  std::string_view text() const { return {text_, size_}; }

 private:
  char text_[256];
  std::size_t size_ = 0;
};

/// The op at fault, what happened in one word, and a sentence: the form that reduction.cpp reads.
void say(const char* detail, std::string_view verb, const Place& place) {
  Line line;
  if (const Step* step = step_under_way()) line << step->op->name << (step->inplace ? "_" : "");
  line << "\n" << detail << "\n" << verb << " ";
  switch (place.kind) {
    case Place::Kind::past_end:
      line << place.distance << " bytes past the end of a tensor's " << place.bytes << " bytes";
      break;
    case Place::Kind::in_front:
      line << place.distance << " bytes in front of a tensor's " << place.bytes << " bytes";
      break;
    default:
      line << "memory of a tensor that is freed";
  }
  last_words(line.text());
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const Place place = yard().place_of(static_cast<const char*>(info->si_addr));
  bool writes = false;
#if defined(__x86_64__)
  writes = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2;
#else
  (void)context;
#endif
  if (place.kind == Place::Kind::past_end)
    say(writes ? "write-past-end" : "read-past-end", writes ? "wrote" : "read", place);
  else if (place.kind == Place::Kind::freed)
    say(writes ? "write-after-free" : "read-after-free", writes ? "wrote" : "read", place);
  std::signal(signal, SIG_DFL);  // the instruction faults again, and ends the process
}

void free_guarded(void* data) {
  if (data) yard().free(data);  // oneDNN gives back what it got for 0 bytes
}

/// Context and data pointer of a block are equal, as LibTorch's raw interface demands.
struct GuardAllocator final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = bytes == 0 ? nullptr : yard().allocate(bytes);
    return {data, data, &free_guarded, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_guarded; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};

}  // namespace

c10::Allocator* guard_allocator() {
  static c10::Allocator* const guard = new GuardAllocator;
  yard();
  return guard;
}

void use_guard(bool on) {
  use_allocator(on ? Allocator::guard : Allocator::counting);
  if (!on || !speaks()) return;  // libFuzzer has handlers of its own
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSEGV, &action, nullptr);
}

}  // namespace gradsmith
