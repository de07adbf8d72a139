// Coverage says the same of a chain wherever it is judged, disturbs nothing, and its lists hold what chains can reach.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/coverage_report.hpp"
#include "harness/coverage_steps.hpp"
#include "harness/generate.hpp"
#include "harness/judge.hpp"
#include "harness/mutate.hpp"
#include "harness/print.hpp"
#include "harness/process.hpp"
#include "properties/chains.hpp"

namespace gradsmith {
namespace {

/// Generated chains and changed ones: what a fuzzer runs.
std::vector<Chain> some_chains(std::uint64_t count) {
  std::vector<Chain> out;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Choices choices(seed);
    out.push_back(generate(choices));
    if (seed % 2) out.back() = mutate(out.back(), choices);
  }
  return out;
}

/// Names and levels that a chain reaches, as a text.
std::string reach(const Chain& chain) {
  Reached reached(true);
  judge(chain, {.guilt = false, .coverage = &reached});
  std::vector<std::uint32_t> counters = reached.counters();
  std::sort(counters.begin(), counters.end());
  std::string out;
  for (std::size_t d = 0; d < domain_count; ++d)
    for (const std::string& name : reached.names(static_cast<Domain>(d))) out += name + "\n";
  for (const std::uint32_t counter : counters)
    out += std::to_string(counter) + ":" + std::to_string(reached.level(counter)) + " ";
  return out;
}

const std::set<std::string, std::less<>>& names_of(const Chain& chain, Domain domain, Reached& reached) {
  initialize_libtorch();
  judge(chain, {.coverage = &reached});
  return reached.names(domain);
}

TEST(Coverage, Of_a_chain_is_the_same_in_another_process_and_in_another_order) {
  const auto chains = some_chains(300);
  const auto all = [&](bool backwards) {
    return apart(
               [&] {
                 initialize_libtorch();
                 std::vector<std::string> reached(chains.size());
                 for (std::size_t i = 0; i < chains.size(); ++i) {
                   const std::size_t at = backwards ? chains.size() - 1 - i : i;
                   reached[at] = reach(chains[at]);
                 }
                 std::string out;
                 for (const std::string& one : reached) out += one + "\n\n";
                 return out;
               },
               300)
        .answer;
  };
  const auto forwards = all(false), backwards = all(true);
  ASSERT_TRUE(forwards && backwards);
  // The first line that differs says more than two long texts.
  const auto at = std::mismatch(forwards->begin(), forwards->end(), backwards->begin(), backwards->end());
  const auto line = [](const std::string& text, std::size_t position) {
    const std::size_t start = text.rfind('\n', position) + 1;
    return text.substr(start, std::min<std::size_t>(text.find('\n', position), start + 200) - start);
  };
  const auto position = static_cast<std::size_t>(at.first - forwards->begin());
  EXPECT_EQ(position, forwards->size()) << line(*forwards, position) << "\n" << line(*backwards, position);
}

TEST(Coverage, Turned_on_changes_no_verdict) {
  initialize_libtorch();
  Reached reached;
  for (const Chain& chain : some_chains(1500)) {
    reached.clear();
    const Verdict on = judge(chain, {.coverage = &reached}), off = judge(chain);
    ASSERT_EQ(on.status, off.status) << print(chain);
    ASSERT_EQ(on.signature, off.signature) << print(chain);
    ASSERT_EQ(on.testimonies.size(), off.testimonies.size());
    for (std::size_t i = 0; i < on.testimonies.size(); ++i) {
      ASSERT_EQ(on.testimonies[i].opinion, off.testimonies[i].opinion) << print(chain);
      ASSERT_EQ(on.testimonies[i].ratio, off.testimonies[i].ratio) << print(chain);
    }
    for (std::size_t v = 0; v < on.outcome.gradients.size(); ++v) {
      ASSERT_EQ(on.outcome.gradients[v].has_value(), off.outcome.gradients[v].has_value());
      if (on.outcome.gradients[v]) {
        ASSERT_EQ(print_number(on.outcome.gradients[v]->data.empty() ? 0 : on.outcome.gradients[v]->data[0]),
                  print_number(off.outcome.gradients[v]->data.empty() ? 0 : off.outcome.gradients[v]->data[0]));
      }
    }
  }
}

TEST(Coverage, Sees_a_write_to_a_saved_result) {
  Reached reached(true);
  const auto& relations = names_of(parse_or_die("gradsmith 1\na = input f64[2] requires_grad\nv1 = tanh(a)\nmul_(v1, 2)\n"),
                                   Domain::relations, reached);
  EXPECT_TRUE(relations.contains("`tanh` then `mul_` on its result, before backward"));
  EXPECT_TRUE(reached.names(Domain::outcome).contains("E5 in backward"));
  EXPECT_TRUE(reached.names(Domain::edges).contains("`tanh` into `mul_`"));
}

TEST(Coverage, Tells_a_write_through_a_view_after_a_kept_graph) {
  Reached reached(true);
  const auto& relations = names_of(parse_or_die("gradsmith 1\na = input f64[2] requires_grad\nv1 = exp(a)\nv2 = narrow(v1, dim=0, "
                                          "start=0, length=1)\nbackward(v1, cotangent=normal(1), retain_graph)\n"
                                          "no_grad {\n  mul_(v2, 2)\n}\nbackward(a, cotangent=normal(1))\n"),
                                   Domain::relations, reached);
  EXPECT_TRUE(
      relations.contains("`exp` then `mul_` on an overlapping view of its result, after a backward that kept the graph"));
  EXPECT_TRUE(relations.contains("what `exp` saved is written through narrow, in no_grad"));
}

TEST(Coverage, Tells_what_memory_has_been_through_in_order) {
  Reached reached(true);
  const auto& histories = names_of(parse_or_die("gradsmith 1\na = input f64[2] requires_grad\nv1 = clone(a)\nv2 = narrow(v1, "
                                                "dim=0, start=1, length=1)\nneg_(v2)\nneg_(v1)\nv3 = sin(v2)\n"
                                                "backward(v3, retain_graph)\nbackward(v3)\n"),
                                   Domain::histories, reached);
  EXPECT_TRUE(histories.contains("memory: viewed written through a view written"));
  EXPECT_FALSE(histories.contains("memory: viewed written written through a view")) << "another order";
  EXPECT_TRUE(histories.contains("memory: written kept backward"));
  EXPECT_TRUE(histories.contains("in short: viewed written through a view written backward backward"));
  EXPECT_TRUE(histories.contains("an op that keeps operands reads a view, written once, once through another, no backward yet"));
  EXPECT_TRUE(histories.contains("some op reads a part of memory graded, written once, once through another, no backward yet"));
}

TEST(Coverage, Of_histories_is_only_of_memory_with_gradients_and_of_accepted_chains) {
  Reached plain(true), refused(true);
  const auto no_memory = [](const auto& names) {
    return std::none_of(names.begin(), names.end(), [](const std::string& name) { return name.starts_with("memory:"); });
  };
  EXPECT_TRUE(no_memory(names_of(parse_or_die("gradsmith 1\na = input f64[2]\nneg_(a)\nneg_(a)\n"), Domain::histories, plain)));
  EXPECT_FALSE(plain.names(Domain::histories).empty()) << "what used it is told";
  names_of(parse_or_die("gradsmith 1\na = input f64[2] requires_grad\nv1 = exp(a)\nneg_(v1)\n"), Domain::histories, refused);
  EXPECT_TRUE(refused.names(Domain::histories).empty());
}

TEST(Coverage, Names_what_libtorch_dispatched_and_the_graph_it_left) {
  Reached reached(true);
  names_of(parse_or_die("gradsmith 1\na = input f64[2] requires_grad\nv1 = exp(a)\nv2 = narrow(v1, dim=0, start=0, length=1)\n"
                  "mul_(v2, 2)\n"),
           Domain::kernels, reached);
  EXPECT_TRUE(reached.names(Domain::kernels).contains("aten::exp"));
  EXPECT_TRUE(reached.names(Domain::kernels).contains("aten::mul_"));
  EXPECT_TRUE(reached.names(Domain::graph).contains("CopySlices to ExpBackward0"));
}

TEST(Coverage, Lists_as_possible_whatever_pairs_chains_reach) {
  Reached possible(true), reached(true);
  cover_possible(possible);
  initialize_libtorch();
  for (const Chain& chain : some_chains(2000)) judge(chain, {.witnesses = {}, .coverage = &reached});
  for (const std::string& name : reached.names(Domain::edges)) EXPECT_TRUE(possible.names(Domain::edges).contains(name)) << name;
  for (const std::string& name : reached.names(Domain::relations))
    if (name.find("` then `") != std::string::npos) {
      EXPECT_TRUE(possible.names(Domain::relations).contains(name)) << name;
    }
}

TEST(Coverage, Keeps_each_domain_in_its_slice_and_levels_apart) {
  Reached reached;
  std::size_t slice = 0;
  for (std::size_t d = 0; d < domain_count; ++d) {
    const auto domain = static_cast<Domain>(d);
    for (int i = 0; i < 2000; ++i) reached.note(domain, {"feature ", std::to_string(i)});
    EXPECT_EQ(domain_of(static_cast<std::uint32_t>(slice)), domain);
    slice += domain_counters[d];
    EXPECT_EQ(domain_of(static_cast<std::uint32_t>(slice - 1)), domain);
  }
  EXPECT_EQ(slice, counter_count);
  EXPECT_LE(counter_count, std::size_t{1} << 16);
  for (const std::uint32_t counter : reached.counters()) EXPECT_LT(counter, counter_count);
  std::set<std::uint8_t> bytes;
  for (unsigned level = 0; level < 8; ++level) bytes.insert(level_byte(level));
  EXPECT_EQ(bytes, (std::set<std::uint8_t>{1, 2, 3, 4, 8, 16, 32, 128}));
  const auto before = reached.counters().size();
  reached.note(Domain::ops, {"feature ", "7"}, 5);
  EXPECT_EQ(reached.counters().size(), before) << "equal names share a counter";
}

TEST(CoverageReport, Counts_what_is_possible_and_names_what_was_never_reached) {
  Reached reached(true);
  names_of(parse_or_die("gradsmith 1\na = input f64[2] requires_grad\nv1 = tanh(a)\nmul_(v1, 2)\n"), Domain::ops, reached);
  const auto reports = coverage_report(reached);
  const DomainReport& relations = reports[static_cast<std::size_t>(Domain::relations)];
  ASSERT_TRUE(relations.total);
  EXPECT_EQ(relations.reached + relations.never.size(), *relations.total);
  EXPECT_EQ(relations.reached, 1u);
  EXPECT_TRUE(std::binary_search(relations.never.begin(), relations.never.end(),
                                 "`sigmoid` then `mul_` on an overlapping view of its result, before backward"));
  const auto json = nlohmann::json::parse(coverage_json(reports));
  ASSERT_EQ(json.size(), domain_count);
  EXPECT_EQ(json[2]["domain"], "relations");
  EXPECT_EQ(json[2]["never"].size(), relations.never.size());
  EXPECT_TRUE(json[3]["total"].is_null());
  EXPECT_NE(coverage_words(reports, 1).find("before backward: never\n"), std::string::npos);
}

}  // namespace
}  // namespace gradsmith
