#include "properties/golden.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "properties/child_program.hpp"

namespace gradsmith::testing {

std::string differs_from_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path file = std::filesystem::path(GRADSMITH_SOURCE_DIR) / "properties" / "golden" / name;
  const char* mode = std::getenv("GRADSMITH_GOLDEN");
  if (mode && std::string(mode) == "write") {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return {};
  }
  const std::string kept = content(file.string());
  if (kept == text) return {};
  return file.string() + " differs (GRADSMITH_GOLDEN=write rewrites it). It holds\n" + kept + "\nand now comes\n" +
         text;
}

}  // namespace gradsmith::testing
