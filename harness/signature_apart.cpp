#include "harness/signature_apart.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <sstream>
#include <tuple>

#include "harness/exits.hpp"
#include "harness/guilt.hpp"
#include "harness/probe.hpp"

namespace gradsmith {

namespace {

/// The last words of a process: the op at fault, what happened in one word, a sentence, and the device, a line each.
struct LastWords {
  std::string guilty{}, detail{}, sentence{}, device{};
};
LastWords words_of(const Ended& ended) {
  LastWords words;
  std::istringstream lines(ended.words);
  for (std::string* line : {&words.guilty, &words.detail, &words.sentence, &words.device}) std::getline(lines, *line);
  return words;
}

/// The signature as one frame; empty for none.
std::string frame_of(const Verdict& verdict) {
  if (verdict.status != Status::finding) return {};
  const Signature& s = verdict.signature;
  return fmt::format("{}\n{}\n{}\n{}\n{}", static_cast<int>(s.kind), s.guilty, s.detail, s.dtype, s.device);
}

std::optional<Signature> signature_in(std::string_view frame) {
  if (frame.empty()) return std::nullopt;
  std::istringstream lines{std::string(frame)};
  std::string kind;
  std::getline(lines, kind);
  Signature signature{.kind = static_cast<FindingKind>(std::stoi(kind))};
  for (std::string* line : {&signature.guilty, &signature.detail, &signature.dtype, &signature.device})
    std::getline(lines, *line);
  return signature;
}

auto surroundings(const Question& question) { return std::tie(question.plan.device, question.plan.lanes); }

constexpr double start_up = 120;  // seconds: on a busy machine LibTorch takes its time

/// Questions that can share a process, asked in their order until one kills it.
class Sitting {
 public:
  Sitting(const std::vector<const Question*>& questions, double seconds) {
    using Clock = std::chrono::steady_clock;
    Child child([&](const Child::Send& send) {
      prepare(questions.front()->plan);
      send("ready");
      for (const Question* question : questions) send(frame_of(judge(question->chain, question->plan)));
    });
    auto heard = Clock::now();
    bool hung = false, ready = false;
    for (bool open = true; open && !hung;) {
      pollfd news{child.fd(), POLLIN, 0};
      ::poll(&news, 1, 100);
      open = child.receive([&](std::string_view frame) {
        if (ready) answers_.push_back(signature_in(frame));
        ready = true;
        heard = Clock::now();
      });
      hung = open && Clock::now() - heard > std::chrono::duration<double>(ready ? seconds : start_up);
    }
    if (hung) child.give_up();
    const Ended ended = child.wait();
    if (!hung && ended.code == exit_missing && !ended.words.empty()) throw EnvironmentError{ended.words};
    if (!ready) throw EnvironmentError{fmt::format("LibTorch does not start: {}", death_words(hung, ended))};
    if (answers_.size() == questions.size()) return;
    answers_.push_back(death_signature(hung, ended));
    died_ = true;
  }
  /// Of the first questions; the last answer is a death if died().
  const std::vector<std::optional<Signature>>& answers() const { return answers_; }
  bool died() const { return died_; }

 private:
  std::vector<std::optional<Signature>> answers_{};
  bool died_ = false;
};

/// The only step, or the last one that by itself ends a process in the same way; empty if none does.
std::string culprit_of(const Question& question, FindingKind kind, double seconds) {
  const Chain& chain = question.chain;
  const auto result = type_chain(chain);
  const Typed* typed = std::get_if<Typed>(&result);
  for (std::size_t i = chain.statements.size(); typed && i-- > 0;) {
    const auto* step = std::get_if<Step>(&chain.statements[i]);
    if (!step) continue;
    if (step_count(chain) == 1) return form_of(*step);
    const auto alone = isolate(chain, *typed, i);
    if (!alone) continue;
    const Question asked{*alone, question.plan};
    const Sitting sitting({&asked}, seconds);
    if (sitting.died() && sitting.answers().back()->kind == kind) return form_of(*step);
  }
  return {};
}

}  // namespace

Signature death_signature(bool hang, const Ended& ended) {
  Signature signature;
  signature.kind = hang ? FindingKind::hang : FindingKind::crash;
  const auto words = words_of(ended);
  signature.guilty = words.guilty;
  if (hang) return signature;
  signature.detail = words.detail.empty() ? ended_name(ended) : words.detail;
  if (!words.device.empty()) signature.device = words.device;
  return signature;
}

std::string death_words(bool hang, const Ended& ended) {
  const auto words = words_of(ended);
  const std::string in = words.guilty.empty() ? "" : fmt::format(" in {}", words.guilty);
  if (hang) return "no answer in time" + in;
  return fmt::format("the process ended with {}{}{}", ended_name(ended), in,
                     words.sentence.empty() ? "" : ": " + words.sentence);
}

std::optional<Signature> signature_apart(const Chain& chain, const Plan& plan, double seconds) {
  return signatures_apart({{chain, plan}}, seconds).front();
}

std::vector<std::optional<Signature>> signatures_apart(const std::vector<Question>& questions, double seconds) {
  std::vector<std::size_t> order(questions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return surroundings(questions[a]) < surroundings(questions[b]);
  });
  std::vector<std::optional<Signature>> answers(questions.size());
  for (std::size_t next = 0; next < order.size();) {
    std::vector<const Question*> asked;
    for (std::size_t i = next; i < order.size(); ++i)
      if (surroundings(questions[order[i]]) == surroundings(questions[order[next]]))
        asked.push_back(&questions[order[i]]);
    const Sitting sitting(asked, seconds);
    for (const auto& answer : sitting.answers()) answers[order[next++]] = answer;
    if (!sitting.died()) continue;
    const std::size_t last = order[next - 1];
    if (Signature& death = *answers[last]; death.guilty.empty())
      death.guilty = culprit_of(questions[last], death.kind, seconds);
  }
  return answers;
}

}  // namespace gradsmith
