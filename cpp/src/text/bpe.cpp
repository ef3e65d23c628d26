#include "bpe.hpp"

#include <algorithm>
#include <bit>
#include <queue>
#include <tuple>

#include "trie.hpp"
#include "word_table.hpp"

namespace unitvec {

/// Pairs of tokens, each with the priority and the result of their merge: open addressing.
class PairTable {
public:
    static constexpr std::uint32_t kNever = UINT32_MAX;

    struct Entry {
        std::uint32_t rank = kNever;  ///< smaller merges first
        std::int32_t result = -1;
    };

    explicit PairTable(const std::vector<BytePairEncoding::Merge>& merges) {
        const auto slots = std::bit_ceil(merges.size() * 2 + 2);  // at most half full
        shift_ = 64 - std::countr_zero(slots);
        slots_.resize(slots);
        for (std::size_t rank = 0; rank < merges.size(); ++rank) {
            const auto& m = merges[rank];
            auto& slot = slots_[place(key(m.left, m.right))];
            slot = {key(m.left, m.right), {static_cast<std::uint32_t>(rank), m.result}};
        }
    }

    [[nodiscard]] Entry find(std::int32_t left, std::int32_t right) const {
        return slots_[place(key(left, right))].entry;
    }

private:
    struct Slot {
        std::uint64_t key = UINT64_MAX;
        Entry entry;
    };

    static std::uint64_t key(std::int32_t left, std::int32_t right) {
        return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) |
               static_cast<std::uint32_t>(right);
    }

    /// Where the key is, or the free slot where it would be.
    [[nodiscard]] std::size_t place(std::uint64_t key) const {
        auto h = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15U;
        h = (h ^ (h >> 29)) * 0xBF58476D1CE4E5B9U;
        auto i = static_cast<std::size_t>(h >> shift_);
        while (slots_[i].key != key && slots_[i].key != UINT64_MAX) i = (i + 1) % slots_.size();
        return i;
    }

    int shift_ = 0;
    std::vector<Slot> slots_;
};

namespace {

/// Longer words are merged by way of a heap.
constexpr std::size_t kShort = 48;

void put(std::vector<std::int32_t>& out, std::int32_t id, std::uint32_t, std::uint32_t) {
    out.push_back(id);
}

void put(std::vector<BytePairEncoding::Span>& out, std::int32_t id, std::uint32_t begin,
         std::uint32_t end) {
    out.push_back({id, begin, end});
}

/// A stretch of a long word that is one token so far, linked to its neighbours.
struct Symbol {
    std::int32_t id;
    std::uint32_t begin;
    std::uint32_t previous, next;  ///< kNone at the ends
    bool is_alive = true;

    static constexpr std::uint32_t kNone = UINT32_MAX;
};

/// The merges of a long word, in the order of their ranks, the leftmost first.
class LongWord {
public:
    LongWord(const PairTable& pairs, const std::array<std::int32_t, 256>& byte_ids,
             std::string_view word)
        : pairs_(pairs) {
        const auto n = static_cast<std::uint32_t>(word.size());
        symbols_.reserve(n);
        for (std::uint32_t i = 0; i < n; ++i) {
            symbols_.push_back({byte_ids[static_cast<unsigned char>(word[i])], i,
                                i == 0 ? Symbol::kNone : i - 1,
                                i + 1 == n ? Symbol::kNone : i + 1});
        }
        for (std::uint32_t i = 0; i < n; ++i) offer(i);
    }

    void merge_all() {
        while (!candidates_.empty()) {
            const auto [rank, left] = candidates_.top();
            candidates_.pop();
            auto& symbol = symbols_[left];
            if (!symbol.is_alive || symbol.next == Symbol::kNone) continue;
            const auto merge = pairs_.find(symbol.id, symbols_[symbol.next].id);
            if (merge.rank != rank) continue;  // one of the two has grown since
            absorb_next(symbol, left);
            symbol.id = merge.result;
            if (symbol.previous != Symbol::kNone) offer(symbol.previous);
            offer(left);
        }
    }

    template <typename Output>
    void append_to(Output& out, std::uint32_t size) const {
        for (std::uint32_t i = 0; i != Symbol::kNone; i = symbols_[i].next) {
            const auto next = symbols_[i].next;
            put(out, symbols_[i].id, symbols_[i].begin,
                next == Symbol::kNone ? size : symbols_[next].begin);
        }
    }

private:
    using Candidate = std::tuple<std::uint32_t, std::uint32_t>;  // rank, left symbol

    void offer(std::uint32_t left) {
        const auto& symbol = symbols_[left];
        if (symbol.next == Symbol::kNone) return;
        const auto merge = pairs_.find(symbol.id, symbols_[symbol.next].id);
        if (merge.rank != PairTable::kNever) candidates_.emplace(merge.rank, left);
    }

    void absorb_next(Symbol& symbol, std::uint32_t left) {
        auto& next = symbols_[symbol.next];
        next.is_alive = false;
        symbol.next = next.next;
        if (symbol.next != Symbol::kNone) symbols_[symbol.next].previous = left;
    }

    const PairTable& pairs_;
    std::vector<Symbol> symbols_;
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace

BytePairEncoding::BytePairEncoding(const std::array<std::int32_t, 256>& byte_ids,
                                   const std::vector<Merge>& merges,
                                   const std::vector<Token>& tokens, bool ignore_merges)
    : byte_ids_(byte_ids), pairs_(std::make_shared<const PairTable>(merges)),
      whole_words_(std::make_shared<const WordTable>()) {
    if (ignore_merges) {
        std::vector<Trie::Entry> entries;
        for (const auto& token : tokens) {
            if (!token.bytes.empty()) entries.push_back({token.bytes, token.id});
        }
        all_words_ = std::make_shared<const Trie>(std::move(entries));
    }
    auto table = std::make_shared<WordTable>(tokens.size());
    std::vector<std::int32_t> ids;
    for (const auto& token : tokens) {
        if (token.bytes.empty() || token.bytes.size() > WordKey::kMaxLength) continue;
        ids.clear();
        cut(token.bytes, ids);
        if (ids.size() == 1) table->insert(WordKey::of(token.bytes), token.id);
    }
    whole_words_ = std::move(table);
}

std::int32_t BytePairEncoding::find_whole(std::string_view word) const {
    if (word.size() <= WordKey::kMaxLength) {
        if (const auto id = whole_words_->find(WordKey::of(word)); id >= 0) return id;
    }
    return all_words_ ? all_words_->find(word) : -1;
}

template <typename Output>
void BytePairEncoding::merge_short(std::string_view word, Output& out) const {
    std::size_t n = word.size();
    std::int32_t ids[kShort];
    std::uint32_t begins[kShort + 1];
    PairTable::Entry merges[kShort];  // of each symbol with the next
    for (std::size_t i = 0; i < n; ++i) {
        ids[i] = byte_ids_[static_cast<unsigned char>(word[i])];
        begins[i] = static_cast<std::uint32_t>(i);
    }
    begins[n] = static_cast<std::uint32_t>(n);
    for (std::size_t i = 0; i + 1 < n; ++i) merges[i] = pairs_->find(ids[i], ids[i + 1]);
    merges[n - 1] = {};
    while (n > 1) {
        const auto best = static_cast<std::size_t>(
            std::min_element(merges, merges + n - 1,
                             [](const auto& a, const auto& b) { return a.rank < b.rank; }) -
            merges);
        if (merges[best].rank == PairTable::kNever) break;
        ids[best] = merges[best].result;
        std::copy(ids + best + 2, ids + n, ids + best + 1);
        std::copy(begins + best + 2, begins + n + 1, begins + best + 1);
        std::copy(merges + best + 1, merges + n, merges + best);
        --n;
        if (best > 0) merges[best - 1] = pairs_->find(ids[best - 1], ids[best]);
        if (best + 1 < n) merges[best] = pairs_->find(ids[best], ids[best + 1]);
    }
    for (std::size_t i = 0; i < n; ++i) put(out, ids[i], begins[i], begins[i + 1]);
}

template <typename Output>
void BytePairEncoding::merge_long(std::string_view word, Output& out) const {
    LongWord symbols(*pairs_, byte_ids_, word);
    symbols.merge_all();
    symbols.append_to(out, static_cast<std::uint32_t>(word.size()));
}

template <typename Output>
void BytePairEncoding::cut(std::string_view word, Output& out) const {
    if (const auto id = find_whole(word); id >= 0) {
        put(out, id, 0, static_cast<std::uint32_t>(word.size()));
    } else if (word.size() <= kShort) {
        merge_short(word, out);
    } else {
        merge_long(word, out);
    }
}

void BytePairEncoding::append(std::string_view word, std::vector<Span>& spans) const {
    cut(word, spans);
}

void BytePairEncoding::append(std::string_view word, std::vector<std::int32_t>& ids) const {
    cut(word, ids);
}

}  // namespace unitvec
