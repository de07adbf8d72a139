#include "harness/reduction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "harness/evidence.hpp"
#include "harness/parse.hpp"
#include "harness/print.hpp"
#include "harness/reduce.hpp"

namespace gradsmith {

namespace {

constexpr double hang_candidate = 4;  // seconds: candidates of a hang are waited for more briefly than a case of a run
constexpr double grace = 25;          // seconds beyond the limit: one candidate may be slow when time runs out

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Signature text of a chain's finding, or empty.
std::string shown(const Chain& chain, const Plan& plan) {
  const Verdict verdict = judge(chain, plan);
  return verdict.status == Status::finding ? verdict.signature.text() : std::string();
}

bool kills(FindingKind kind) { return kind == FindingKind::crash || kind == FindingKind::hang; }

/// Runs in the reducing process. Frames: 'B' best chain so far, 'H' headline, 'E' evidence, 'C' complete, 'I'
/// incomplete.
void reduce_and_tell(const Chain& chain, const Signature& signature, const Plan& plan, const Child::Send& send) {
  const std::string wanted = signature.text();
  const bool kill = kills(signature.kind);
  if (!kill) prepare(plan);  // else only the processes forked below start LibTorch
  const auto interesting = [&](const Chain& candidate) {
    if (kill) {
      const auto seen = signature_apart(candidate, plan, signature.kind == FindingKind::hang ? hang_candidate : 20);
      return seen && seen->text() == wanted;
    }
    return shown(candidate, plan) == wanted;
  };
  if (!interesting(chain)) return;
  send("B" + print(chain));
  const ReduceLimits limits{.tries = kill ? 500 : 20000, .seconds = Reduction::limit};
  const Reduced reduced = reduce(
      chain,
      [&](const Chain& candidate) {
        if (!interesting(candidate)) return false;
        send("B" + print(candidate));
        return true;
      },
      limits);
  send("B" + print(reduced.chain));
  if (!kill) {
    const Verdict verdict = judge(reduced.chain, plan);
    send("H" + headline(verdict));
    send("E" + evidence(verdict));
  }
  send(reduced.complete ? "C" : "I");
}

}  // namespace

namespace {

/// The last words of a process: the op at fault, what happened in one word, and a sentence, a line each.
struct LastWords {
  std::string guilty{}, detail{}, sentence{};
};
LastWords words_of(const Ended& ended) {
  LastWords words;
  std::istringstream lines(ended.words);
  for (std::string* line : {&words.guilty, &words.detail, &words.sentence}) std::getline(lines, *line);
  return words;
}

}  // namespace

Signature death_signature(bool hang, const Ended& ended) {
  Signature signature;
  signature.kind = hang ? FindingKind::hang : FindingKind::crash;
  if (hang) return signature;
  const auto words = words_of(ended);
  signature.guilty = words.guilty;
  signature.detail = words.detail.empty() ? ended_name(ended) : words.detail;
  return signature;
}

std::string death_words(bool hang, const Ended& ended) {
  if (hang) return "no answer in time";
  const auto words = words_of(ended);
  return fmt::format("the process ended with {}{}{}", ended_name(ended), words.sentence.empty() ? "" : ": ", words.sentence);
}

std::optional<Signature> signature_apart(const Chain& chain, const Plan& plan, double seconds) {
  std::optional<Signature> signature;
  const Apart result = apart(
      [&] {
        prepare(plan);
        const Verdict verdict = judge(chain, plan);
        if (verdict.status != Status::finding) return std::string();
        const Signature& s = verdict.signature;
        return fmt::format("{}\n{}\n{}\n{}\n{}", static_cast<int>(s.kind), s.guilty, s.detail, s.dtype, s.device);
      },
      seconds);
  if (!result.answer) return death_signature(result.hung, result.ended);
  if (result.answer->empty()) return std::nullopt;
  std::string fields[5];
  std::size_t at = 0;
  for (std::string& field : fields) {
    const std::size_t end = std::min(result.answer->find('\n', at), result.answer->size());
    field = result.answer->substr(at, end - at);
    at = end + 1;
  }
  return Signature{static_cast<FindingKind>(std::stoi(fields[0])), fields[1], fields[2], fields[3], fields[4]};
}

std::string ReductionResult::words() const {
  if (!reproduced) return "not reduced: it did not show again in a process of its own";
  return fmt::format("{} {:.1f} s", complete ? "complete in" : "cut short after", seconds);
}

Reduction::Reduction(const Chain& chain, const Signature& signature, const Plan& plan) : started_(now()) {
  result_.chain = chain;
  child_.emplace([=](const Child::Send& send) { reduce_and_tell(chain, signature, plan, send); });
}

double Reduction::elapsed() const { return now() - started_; }

void Reduction::take(std::string_view frame) {
  const std::string_view body = frame.substr(1);
  switch (frame[0]) {
    case 'B':
      result_.reproduced = true;
      if (auto parsed = parse(body); std::holds_alternative<Chain>(parsed))
        result_.chain = std::get<Chain>(std::move(parsed));
      break;
    case 'H':
      result_.headline = body;
      break;
    case 'E':
      result_.evidence = body;
      break;
    case 'C':
      result_.complete = true;
      break;
    default:
      break;
  }
}

bool Reduction::poll() {
  if (!child_) return true;
  const bool open = child_->receive([this](std::string_view frame) { take(frame); });
  if (open && elapsed() > limit + grace) {
    stop();
    return true;
  }
  if (open) return false;
  child_->wait();
  child_.reset();
  result_.seconds = elapsed();
  return true;
}

void Reduction::stop() {
  if (!child_) return;
  child_->receive([this](std::string_view frame) { take(frame); });
  child_->kill();
  child_->wait();
  child_.reset();
  result_.seconds = elapsed();
}

}  // namespace gradsmith
