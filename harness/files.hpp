// Files as the commands need them: bounded reads, atomic writes, chains in folders. Knows chains only through the
// parser; nothing of LibTorch.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/parse.hpp"

namespace gradsmith {

/// Content of a file, or of standard input for "-"; at most one byte more than a chain may have, so that the parser can
/// say that it is too long. UsageError if it cannot be read.
std::string read_chain_text(const std::string& path);
/// Whole content of a file; UsageError if it cannot be read.
std::string read_whole(const std::string& path);
/// Whether there is something of this name; UsageError if that cannot be told, as in a folder that may not be searched.
bool is_there(const std::filesystem::path& path);
/// The first bytes of a file, `size` at most; UsageError if it cannot be read.
std::string read_start(const std::string& path, std::size_t size);
/// The chain in a file, or the line "FILE:LINE:COLUMN: message". UsageError if the file cannot be read.
std::variant<Chain, std::string> load_chain(const std::string& path);

/// Replaces a file by `text`: a temporary file beside it, written, synced and renamed. Keeps the permissions of the old
/// file and follows symbolic links. EnvironmentError if that fails; then the old file is untouched.
void write_atomically(const std::filesystem::path& path, std::string_view text);
/// Names of the regular files in a folder, sorted, temporary ones of write_atomically() left out; empty if there is none.
std::vector<std::string> files_in(const std::filesystem::path& folder);
/// Makes a folder with its parents; EnvironmentError if that fails.
void make_folder(const std::filesystem::path& path);

/// Files stand for themselves, folders for all *.chain below them, sorted. `unnamed`: also for files without an extension,
/// as a fuzz engine names its corpus. UsageError for a path that does not exist.
std::vector<std::string> chain_files(const std::vector<std::string>& paths, bool unnamed = false);

/// The corpus: `given`, else "corpus" here, else the one of the source tree this was built from; nothing if none
/// exists. UsageError if `given` is no folder.
std::optional<std::filesystem::path> find_corpus(const std::optional<std::string>& given);

}  // namespace gradsmith
