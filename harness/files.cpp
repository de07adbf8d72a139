#include "harness/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/exits.hpp"

namespace gradsmith {

namespace fs = std::filesystem;

namespace {

/// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  explicit Descriptor(int open_fd) : fd(open_fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// Reads until the end or until `limit` bytes are there.
std::string read_up_to(const std::string& path, std::size_t limit) {
  const Descriptor file(path == "-" ? ::dup(0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) throw UsageError{fmt::format("{}: cannot be read: {}", path, std::strerror(errno))};
  std::string text;
  char block[65536];
  while (text.size() < limit) {
    const ssize_t got = ::read(file.fd, block, std::min(sizeof block, limit - text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw UsageError{fmt::format("{}: cannot be read: {}", path, std::strerror(errno))};
    if (got == 0) break;
    text.append(block, static_cast<std::size_t>(got));
  }
  return text;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

std::string read_chain_text(const std::string& path) { return read_up_to(path, Limits::bytes + 1); }

bool is_there(const fs::path& path) {
  std::error_code error;
  const bool there = fs::exists(path, error);
  if (error) throw UsageError{fmt::format("{}: cannot be read: {}", path.string(), error.message())};
  return there;
}

std::string read_whole(const std::string& path) { return read_up_to(path, std::size_t{1} << 30); }

std::string read_start(const std::string& path, std::size_t size) {
  std::string text = read_up_to(path, size);
  text.resize(std::min(text.size(), size));
  return text;
}

std::variant<Chain, std::string> load_chain(const std::string& path) {
  auto parsed = parse(read_chain_text(path));
  if (const auto* error = std::get_if<ParseError>(&parsed)) return format_error(path, *error);
  return std::get<Chain>(std::move(parsed));
}

void write_atomically(const fs::path& path, std::string_view text) {
  std::error_code ignored;
  const fs::path target = fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : path;
  const std::string beside = fmt::format("{}.{}.tmp", target.string(), ::getpid());
  const auto fail = [&] {
    const std::string why = std::strerror(errno);
    ::unlink(beside.c_str());
    throw EnvironmentError{fmt::format("{}: cannot be written: {}", path.string(), why)};
  };
  struct stat old {};
  const mode_t mode = ::stat(target.c_str(), &old) == 0 ? old.st_mode & 07777 : 0666;
  {
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (file.fd < 0) fail();
    if (!write_all(file.fd, text) || ::fsync(file.fd) != 0) fail();
  }
  if (::rename(beside.c_str(), target.c_str()) != 0) fail();
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (std::error_code gone; at->path().extension() != ".tmp" && at->is_regular_file(gone)) names.push_back(at->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw EnvironmentError{fmt::format("{}: cannot be made: {}", path.string(), error.message())};
  if (::access(path.c_str(), W_OK) != 0)
    throw EnvironmentError{fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno))};
}

std::vector<std::string> chain_files(const std::vector<std::string>& paths, bool unnamed) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (path != "-" && !fs::exists(status)) throw UsageError{fmt::format("{}: no such file or folder", path)};
    if (!fs::is_directory(status)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      const fs::path extension = at->path().extension();
      const bool named_so = extension == ".chain" || (unnamed && extension.empty());
      if (named_so && at->is_regular_file()) found.push_back(at->path().string());
    }
    if (error) throw UsageError{fmt::format("{}: cannot be read: {}", path, error.message())};
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

std::optional<fs::path> find_corpus(const std::optional<std::string>& given) {
  std::error_code ignored;
  if (given) {
    if (!fs::is_directory(*given, ignored)) throw UsageError{fmt::format("--corpus: {}: no such folder", *given)};
    is_there(fs::path(*given) / "known");  // a folder that may not be searched would pass for an empty one
    return fs::path(*given);
  }
  if (fs::is_directory("corpus", ignored)) return fs::path("corpus");
#ifdef GRADSMITH_SOURCE_DIR
  const fs::path built_from = fs::path(GRADSMITH_SOURCE_DIR) / "corpus";
  if (fs::is_directory(built_from, ignored)) return built_from;
#endif
  return std::nullopt;
}

}  // namespace gradsmith
