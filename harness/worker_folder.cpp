#include "harness/worker_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "harness/files.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view first_line = "gradsmith 1\n";
constexpr std::string_view mark = "# input ";
constexpr std::size_t number_width = 20, phase_width = 12;
constexpr std::size_t phase_at = first_line.size() + mark.size() + number_width + 1;
constexpr std::size_t head_size = phase_at + phase_width + 1;

std::string head(std::uint64_t input, std::string_view phase) {
  return fmt::format("{}{}{:0>{}} {:<{}.{}}\n", first_line, mark, input, number_width, phase, phase_width, phase_width);
}

/// `bytes` without the line that every chain begins with.
std::string_view body(std::string_view bytes) {
  return bytes.starts_with(first_line) ? bytes.substr(first_line.size()) : bytes;
}

std::optional<InFlight> slot_head(std::string_view text) {
  if (text.size() < head_size || !text.starts_with(first_line)) return std::nullopt;
  if (text.substr(first_line.size(), mark.size()) != mark) return std::nullopt;
  InFlight at;
  const char* digits = text.data() + first_line.size() + mark.size();
  std::from_chars(digits, digits + number_width, at.input);
  at.phase = text.substr(phase_at, phase_width);
  at.phase.erase(at.phase.find_last_not_of(' ') + 1);
  return at;
}

std::optional<std::string> read_if_there(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  return read_whole(file.string());
}

/// Size of the first part, a line end, the first part, the second.
std::string joined(std::string_view first, std::string_view second) {
  return fmt::format("{}\n{}{}", first.size(), first, second);
}

std::optional<std::pair<std::string_view, std::string_view>> parted(std::string_view bytes) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), size);
  if (error != std::errc() || end == bytes.data() + bytes.size() || *end != '\n') return std::nullopt;
  bytes.remove_prefix(static_cast<std::size_t>(end - bytes.data()) + 1);
  if (size > bytes.size()) return std::nullopt;
  return std::pair(bytes.substr(0, size), bytes.substr(size));
}

}  // namespace

void SlotWriter::begin(std::string_view bytes) {
  ++input_;
  const std::string whole = head(input_, "parse") + std::string(body(bytes));
  slot_.write(whole, head(input_, "parse") + "# too long to be kept\n");
}

void SlotWriter::chain(std::string_view canonical) {
  const std::string whole = head(input_, "parse") + std::string(body(canonical));
  slot_.write(whole, head(input_, "parse") + "# too long to be kept\n");
}

void SlotWriter::enter(std::string_view phase) {
  slot_.patch(phase_at, fmt::format("{:<{}.{}}", phase, phase_width, phase_width));
}

std::optional<InFlight> read_slot(const fs::path& file) {
  const auto text = read_if_there(file);
  if (!text) return std::nullopt;
  auto at = slot_head(*text);
  if (at) at->text = text->substr(0, text->find_last_not_of('\n') + 2);
  return at;
}

std::optional<InFlight> glance_at_slot(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  return slot_head(read_start(file.string(), head_size));
}

void WorkerFolder::make() const {
  for (const fs::path& folder : {path, corpus(), found(), deaths()}) make_folder(folder);
}

void WorkerFolder::write_count(const WorkerCount& count) const {
  std::string findings;
  for (const auto& [signature, times] : count.findings) findings += fmt::format("{} {}\n", times, signature);
  write_atomically(this->count(), joined(findings, encode(count.tally)));
}

WorkerCount WorkerFolder::read_count() const {
  const auto bytes = read_if_there(count());
  const auto parts = bytes ? parted(*bytes) : std::nullopt;
  const auto tally = parts ? decode_tally(parts->second) : std::nullopt;
  if (!tally) return {};
  WorkerCount count{.tally = *tally};
  for (std::string_view rest = parts->first; !rest.empty();) {
    const std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (const auto blank = line.find(' '); blank != std::string::npos)
      count.findings[line.substr(blank + 1)] = std::strtoull(line.c_str(), nullptr, 10);
  }
  return count;
}

void WorkerFolder::write_found(const FoundReport& found) const {
  const fs::path file = this->found() / found.report.signature.text();
  std::error_code ignored;
  if (!fs::exists(file, ignored)) write_atomically(file, joined(found.chain, encode(found.report)));
}

std::vector<std::string> WorkerFolder::found_signatures() const { return files_in(found()); }

std::optional<FoundReport> WorkerFolder::read_found(const std::string& signature) const {
  const auto bytes = read_if_there(found() / signature);
  const auto parts = bytes ? parted(*bytes) : std::nullopt;
  auto report = parts ? decode(parts->second) : std::nullopt;
  if (!report) return std::nullopt;
  return FoundReport{std::string(parts->first), std::move(*report)};
}

std::vector<WorkerFolder> worker_folders(const fs::path& campaign, int at_least) {
  std::vector<WorkerFolder> folders;
  std::error_code ignored;
  for (int k = 0; k < at_least || fs::is_directory(campaign / "workers" / std::to_string(k), ignored); ++k)
    folders.push_back({campaign / "workers" / std::to_string(k)});
  return folders;
}

}  // namespace gradsmith
