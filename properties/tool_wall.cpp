// The include wall: who may include LibTorch, RapidCheck, the option parser and the JSON library; no cycles. The rules
// are a function over file texts, so a broken one can be planted. Knows nothing of the harness but its file names.
#include <fnmatch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

/// Path from the repository's root, with slashes, to the file's text.
using Files = std::map<std::string, std::string>;
using Patterns = std::vector<std::string>;

/// Sources that may include LibTorch, and the headers made for them alone: the lists that CMake builds by.
const Patterns drivers = [] {
  std::istringstream words(GRADSMITH_LIBTORCH_DRIVERS " " GRADSMITH_LIBTORCH_HEADERS);
  return Patterns(std::istream_iterator<std::string>(words), {});
}();

/// A library, how its headers start, and the files of harness/, fuzz/ and properties/ that may include them.
struct Rule {
  std::string library;
  Patterns headers;
  Patterns allowed;
};

const Rule libtorch{"LibTorch", {"ATen/*", "c10/*", "caffe2/*", "torch/*"}, drivers};
const std::vector<Rule> rules{
    libtorch,
    {"RapidCheck", {"rapidcheck.h", "rapidcheck/*"}, {"properties/*"}},
    {"GoogleTest", {"gtest/*", "gmock/*"}, {"properties/*"}},
    {"the option parser", {"CLI/*"}, {"harness/main*.cpp", "harness/cli*.cpp", "harness/bench_main.cpp"}},
    {"the JSON library", {"nlohmann/*"}, {"harness/record*.cpp", "harness/coverage_report.cpp", "properties/*"}},
    {"the fuzz targets", {"fuzz/*"}, {"fuzz/*"}},
    {"the tests", {"properties/*"}, {"properties/*", "fuzz/ablation_fuzzer.cpp", "fuzz/deadly_fuzzer.cpp"}},
};

bool matches(const std::string& path, const Patterns& patterns) {
  for (const std::string& pattern : patterns)
    if (fnmatch(pattern.c_str(), path.c_str(), 0) == 0) return true;
  return false;
}

/// What a text includes, spelled as there, without the quotes.
std::vector<std::string> includes(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    char hash = 0;
    std::string word;
    if (!(words >> hash) || hash != '#' || !(words >> word) || !word.starts_with("include")) continue;
    const auto open = line.find_first_of("<\"");
    const auto close = line.find_first_of(">\"", open + 1);
    if (open != std::string::npos && close != std::string::npos) found.push_back(line.substr(open + 1, close - open - 1));
  }
  return found;
}

/// The name in `files` that `from` means by `include`, or "" for a header that is not ours.
std::string resolve(const Files& files, const std::string& from, const std::string& include) {
  for (const std::string& name : {include, from.substr(0, from.rfind('/') + 1) + include})
    if (files.contains(name)) return name;
  return {};
}

/// `path` and all of our headers that it includes, directly or not.
std::set<std::string> reached(const Files& files, const std::string& path) {
  std::set<std::string> seen;
  const std::function<void(const std::string&)> visit = [&](const std::string& file) {
    if (!seen.insert(file).second) return;
    for (const std::string& include : includes(files.at(file)))
      if (const std::string name = resolve(files, file, include); !name.empty()) visit(name);
  };
  visit(path);
  return seen;
}

/// One message for each file that breaks a rule, beginning with its name; properties/ may include LibTorch.
std::vector<std::string> broken_rules(const Files& files) {
  std::vector<std::string> broken;
  for (const auto& [path, text] : files) {
    for (const std::string& header : includes(text))
      for (const Rule& rule : rules)
        if (matches(header, rule.headers) && !matches(path, rule.allowed) &&
            !(&rule == &rules.front() && path.starts_with("properties/")))
          broken.push_back(path + " includes " + header + ": " + rule.library + " is not for this file");
    if (path.ends_with(".hpp") || path.starts_with("properties/") || matches(path, libtorch.allowed)) continue;
    for (const std::string& header : reached(files, path))
      if (header != path && header.starts_with("harness/"))
        for (const std::string& foreign : includes(files.at(header)))
          if (matches(foreign, libtorch.headers))
            broken.push_back(path + " reaches " + foreign + " through " + header + ": LibTorch is not for this file");
  }
  return broken;
}

/// Headers that include themselves in the end: one message for each cycle, with the way round.
std::vector<std::string> cycles(const Files& files) {
  std::vector<std::string> found, way;
  std::set<std::string> done;
  const std::function<void(const std::string&)> visit = [&](const std::string& file) {
    if (const auto at = std::find(way.begin(), way.end(), file); at != way.end()) {
      std::string message;
      for (auto it = at; it != way.end(); ++it) message += *it + " -> ";
      found.push_back(message + file);
      return;
    }
    if (done.contains(file)) return;
    way.push_back(file);
    for (const std::string& include : includes(files.at(file)))
      if (const std::string name = resolve(files, file, include); !name.empty()) visit(name);
    way.pop_back();
    done.insert(file);
  };
  for (const auto& [path, text] : files) visit(path);
  return found;
}

/// All C++ files of ours.
Files sources() {
  namespace fs = std::filesystem;
  const fs::path root = GRADSMITH_SOURCE_DIR;
  Files files;
  for (const char* folder : {"harness", "properties", "fuzz"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      files[fs::relative(entry.path(), root).generic_string()] = text.str();
    }
  }
  return files;
}

using Messages = std::vector<std::string>;

TEST(Wall, Every_file_includes_only_what_it_may) {
  const Files files = sources();
  ASSERT_TRUE(files.contains("harness/chain.hpp"));
  EXPECT_EQ(broken_rules(files), Messages{});
}

TEST(Wall, No_header_includes_itself_in_the_end) { EXPECT_EQ(cycles(sources()), Messages{}); }

TEST(Wall, LibTorch_in_a_header_is_caught_by_name) {
  EXPECT_EQ(broken_rules({{"harness/chain.hpp", "#pragma once\n#include <ATen/ATen.h>\n"}}),
            Messages{"harness/chain.hpp includes ATen/ATen.h: LibTorch is not for this file"});
}

TEST(Wall, LibTorch_reached_through_a_header_is_caught) {
  const Files files{{"harness/actuals.hpp", "#include <ATen/ATen.h>\n"},
                    {"harness/middle.hpp", "#include \"harness/actuals.hpp\"\n"},
                    {"harness/generate.cpp", "#  include \"middle.hpp\"\n"}};
  EXPECT_EQ(broken_rules(files),
            Messages{"harness/generate.cpp reaches ATen/ATen.h through harness/actuals.hpp: LibTorch is not for this file"});
}

TEST(Wall, Foreign_libraries_out_of_place_are_caught) {
  EXPECT_EQ(broken_rules({{"fuzz/chain_fuzzer.cpp", "#include <rapidcheck.h>\n"},
                          {"harness/campaign.cpp", "#include <CLI/CLI.hpp>\n"},
                          {"harness/judge.cpp", "#include <nlohmann/json.hpp>\n"},
                          {"properties/tool_fuzz.cpp", "#include \"fuzz/mutate.hpp\"\n"}})
                .size(),
            4u);
}

TEST(Wall, Files_in_their_place_are_not_caught) {
  const Files files{{"harness/actuals.hpp", "#include <ATen/ATen.h>\n"},
                    {"harness/ops/view.cpp", "#include \"harness/actuals.hpp\"\n"},
                    {"harness/execute.cpp", "#include <torch/csrc/autograd/engine.h>\n"},
                    {"harness/main.cpp", "#include <CLI/CLI.hpp>\n"},
                    {"harness/record.cpp", "#include <nlohmann/json.hpp>\n"},
                    {"harness/chain.hpp", "// #include <ATen/ATen.h>\n#include <vector>\n"},
                    {"properties/tool_ops.cpp", "#include <rapidcheck/gtest.h>\n#include \"harness/actuals.hpp\"\n"}};
  EXPECT_EQ(broken_rules(files), Messages{});
  EXPECT_EQ(cycles(files), Messages{});
}

TEST(Wall, A_cycle_is_caught_with_the_way_round) {
  EXPECT_EQ(cycles({{"harness/a.hpp", "#include \"harness/b.hpp\"\n"}, {"harness/b.hpp", "#include \"harness/a.hpp\"\n"}}),
            Messages{"harness/a.hpp -> harness/b.hpp -> harness/a.hpp"});
}

}  // namespace
