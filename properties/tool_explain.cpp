// A chain told step by step: golden files over stored chains, and the causes of refusals in words.
#include <gtest/gtest.h>

#include <sstream>

#include "harness/explain.hpp"
#include "harness/explain_story.hpp"
#include "harness/explain_text.hpp"
#include "harness/files.hpp"
#include "harness/twin.hpp"
#include "properties/child_program.hpp"
#include "properties/golden.hpp"

namespace gradsmith::testing {
namespace {

const std::string corpus = std::string(GRADSMITH_SOURCE_DIR) + "/corpus/";

Chain stored(const std::string& file) { return std::get<Chain>(load_chain(corpus + file + ".chain")); }

std::string told(const Chain& chain, bool colours = false) {
  initialize_libtorch();
  const Typed typed = std::get<Typed>(type_chain(chain));
  const Answer answer = answer_of(chain, typed);
  Heard heard{.verdict = judge(chain, {.witnesses = of_every_witness(true)})};  // as the command asks
  for (Testimony& t : heard.verdict->testimonies)  // its last digits depend on the processor
    if (t.witness == Witness::difference && t.opinion == Opinion::agree) t.observed = t.expected = -0.5;
  if (auto twin = execute_twin(chain, typed, answer.roots); std::holds_alternative<Twin>(twin))
    heard.twin = std::get<Twin>(std::move(twin)).outcome;
  return explanation(chain, typed, answer, heard, Paint(colours));
}

std::string cause(const std::string& file) {
  const Chain chain = stored(file);
  const Typed typed = std::get<Typed>(type_chain(chain));
  const Answer answer = answer_of(chain, typed);
  return cause_of_refusal(chain, answer, tell(chain, typed, answer));
}

TEST(Explain, Tells_the_statements_of_stored_chains_as_it_did) {
  for (const std::string name : {"article-1-hazard", "E8i-split-stale", "trap-T1-stale-view", "hole-U17-no-grad-view",
                                 "E6-second-backward", "E11i-inference-view-stale"}) {
    const Chain chain = stored("seeds/" + name);
    const Typed typed = std::get<Typed>(type_chain(chain));
    const std::string text = explain_statements(chain, typed, answer_of(chain, typed), Paint(false));
    EXPECT_EQ(differs_from_golden("explain-" + name + ".txt", text), "");
  }
}

TEST(Explain, Tells_a_finding_as_it_did) {
  for (const std::string name : {"hardsigmoid", "hardsigmoid-inplace"})
    EXPECT_EQ(differs_from_golden("explain-" + name + ".txt", told(stored("known/" + name))), "");
}

TEST(Explain, Keeps_to_100_columns_and_tells_every_stored_chain) {
  for (const std::string& file : chain_files({corpus})) {
    std::istringstream lines(told(std::get<Chain>(load_chain(file))));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << file << "\n" << line;
  }
}

TEST(Explain, Says_why_a_refusal_must_come) {
  const std::pair<const char*, const char*> expected[] = {
      {"seeds/E5-result-overwritten", "needs its result v1 at version 0"},
      {"seeds/E5-through-detach", "moved it to 1"},
      {"seeds/E5-no-grad-write", "moved it to 1"},
      {"seeds/E6-second-backward", "without retain_graph has freed what"},
      {"seeds/E1-leaf", "is a leaf that requires grad"},
      {"seeds/E2-view-of-leaf", "which is a leaf"},
      {"seeds/trap-T1-stale-view", "v is a view of b that was taken before b joined the graph"},
      {"seeds/E8-split-written", "is one of several views that split (step"},
      {"seeds/E8i-split-stale",
       "p is one of several views that split (step 2) gave; mul_ (step 3) has written its base h"},
      {"seeds/E9-no-grad-view-written", "took in no_grad"},
      {"seeds/E10-no-grad-view-stale", "took in no_grad; "},
      {"seeds/E11-inference-view-written", "took in inference mode"},
      {"seeds/E11i-inference-view-stale", "took in inference mode; "},
      {"seeds/E23-asinh", "asinh_"},
  };
  for (const auto& [file, words] : expected)
    EXPECT_NE(cause(file).find(words), std::string::npos) << file << ": " << cause(file);
}

TEST(Explain, Has_a_cause_for_every_refusal_of_the_corpus) {
  for (const std::string& file : chain_files({corpus})) {
    const Chain chain = std::get<Chain>(load_chain(file));
    const Typed typed = std::get<Typed>(type_chain(chain));
    const Answer answer = answer_of(chain, typed);
    if (!answer.expectation.refusal) continue;
    EXPECT_NE(cause_of_refusal(chain, answer, tell(chain, typed, answer)), "") << file;
  }
}

TEST(Explain, Colours_only_for_a_terminal_and_changes_no_word) {
  const Chain chain = stored("seeds/article-1-hazard");
  std::string coloured = told(chain, true), plain;
  EXPECT_NE(coloured.find("\033["), std::string::npos);
  for (std::size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\033')
      i = coloured.find('m', i);
    else
      plain += coloured[i];
  }
  EXPECT_EQ(plain, told(chain));
  EXPECT_EQ(gradsmith({"explain", corpus + "seeds/article-1-hazard.chain"}).out, told(chain))
      << "a file is no terminal";
}

TEST(Explain, Folds_at_blanks_and_shortens_lists) {
  EXPECT_EQ(folded(std::string(60, 'a') + " " + std::string(60, 'b'), 2),
            "  " + std::string(60, 'a') + "\n    " + std::string(60, 'b') + "\n");
  EXPECT_EQ(short_values({1, 2.5}), "1, 2.5");
  EXPECT_EQ(short_values({1, 2, 3, 4, 5, 6, 7}), "1, 2, 3, 4, 5, 6, ... (7)");
  EXPECT_EQ(short_values({}), "(no elements)");
}

}  // namespace
}  // namespace gradsmith::testing
