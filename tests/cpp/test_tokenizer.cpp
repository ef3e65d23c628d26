#include <random>
#include <set>

#include "support/catch.hpp"
#include "support/tiny_tokenizer.hpp"
#include "text/bert_model.hpp"
#include "text/truncation.hpp"
#include "unitvec/error.hpp"
#include "unitvec/text/padding.hpp"

using unitvec::BertModel;
using unitvec::EncodeOptions;
using unitvec::FormatError;
using unitvec::Normalizer;
using unitvec::NormalizerStep;
using unitvec::Offset;
using unitvec::Piece;
using unitvec::Pieces;
using unitvec::Tokenizer;
using unitvec::TruncationSide;
using unitvec::TruncationStrategy;
using unitvec::Vocabulary;
using unitvec::Window;
using unitvec::WordPiece;

namespace {

using Strings = std::vector<std::string>;
using Ids = std::vector<std::int32_t>;

const Strings kTokens = {"hello", "world", "un", "##aff", "##able", ",",      "!", "a",
                         "b",     "c",     "d",  "e",     "##e",    "\u4E2D", "1"};

/// One random code point: letters, marks, spaces, controls, ideographs, anything.
char32_t random_code(std::mt19937& random) {
    constexpr char32_t kOdd[] = {0x302E,  0x1D165, 0x1D15E, 0x301,  0x323,  0x344,  0xF73,
                                 0x1EBF,  0xAC01,  0x130,   0x4E2D, 0xF900, 0x37E,  0x1FEF,
                                 0,       0xFFFD,  0x200D,  0x2028, 0xAD,   0x3000, 0x34F,
                                 0x16FF0, 0xE38,   0x2F800, 0x9,    0xA0,   0xE000, 0x1ABF};
    switch (random() % 4) {
        case 0: return kOdd[random() % std::size(kOdd)];
        case 1: return static_cast<char32_t>(U' ' + random() % 95);
        case 2: return static_cast<char32_t>(0x80 + random() % 0x3000);
        default: {
            const auto code = static_cast<char32_t>(random() % 0x20000);
            return code >= 0xD800 && code < 0xE000 ? U'x' : code;
        }
    }
}

bool operator==(const Piece& a, const Piece& b) {
    return a.id == b.id && a.begin == b.begin && a.end == b.end && a.word == b.word;
}

}  // namespace

TEST_CASE("a text becomes tokens with offsets in code points", "[tokenizer]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));
    const auto e = tokenizer.encode("  H\u00C9llo, unaffable\u4E2D W\u00F6rld!");
    CHECK(tiny::tokens_of(tokenizer, e) ==
          Strings{"[CLS]", "hello", ",", "un", "##aff", "##able", "\u4E2D", "world", "!", "[SEP]"});
    CHECK(e.offsets == std::vector<Offset>{{0, 0},
                                           {2, 7},
                                           {7, 8},
                                           {9, 11},
                                           {11, 14},
                                           {14, 18},
                                           {18, 19},
                                           {20, 25},
                                           {25, 26},
                                           {0, 0}});
    CHECK(e.word_ids == Ids{-1, 0, 1, 2, 2, 2, 3, 4, 5, -1});
    CHECK(e.special_tokens_mask == std::vector<std::uint8_t>{1, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    CHECK(e.attention_mask == std::vector<std::uint8_t>(10, 1));
    CHECK(e.type_ids == Ids(10, 0));
}

TEST_CASE("a pair has types 0 and 1 and two separators", "[tokenizer]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));
    const auto e = tokenizer.encode("hello", "a b");
    CHECK(tiny::tokens_of(tokenizer, e) == Strings{"[CLS]", "hello", "[SEP]", "a", "b", "[SEP]"});
    CHECK(e.type_ids == Ids{0, 0, 0, 1, 1, 1});
    CHECK(e.sequence_ids == Ids{-1, 0, -1, 1, 1, -1});
    const auto plain = tokenizer.encode("hello", "a b", {.add_special_tokens = false});
    CHECK(plain.type_ids == Ids{0, 1, 1});
}

TEST_CASE("the fast scanner agrees with normalising first", "[tokenizer]") {
    using Step = NormalizerStep;
    const std::vector<Step> steps =
        GENERATE(values<std::vector<Step>>({{Step::clean_text, Step::space_chinese_chars, Step::nfd,
                                             Step::strip_nonspacing, Step::lowercase},
                                            {Step::clean_text, Step::space_chinese_chars},
                                            {Step::nfd, Step::strip_nonspacing},
                                            {Step::lowercase, Step::nfd, Step::strip_marks},
                                            {Step::nfd},
                                            {}}));
    std::mt19937 random(7);
    std::vector<std::u32string> texts(400);
    // A vocabulary that knows every character, so that no difference hides in [UNK].
    std::vector<Vocabulary::Entry> entries{{"[UNK]", 0}};
    std::set<char32_t> seen;
    for (auto& text : texts) {
        for (auto n = random() % 30; n > 0; --n) text.push_back(random_code(random));
        for (const auto& c : Normalizer(steps).apply(text)) {
            if (!seen.insert(c.code).second) continue;
            const auto token = unitvec::unicode::encode({&c.code, 1});
            entries.push_back({token, static_cast<std::int64_t>(entries.size())});
            entries.push_back({"##" + token, static_cast<std::int64_t>(entries.size())});
        }
    }
    const BertModel model(Normalizer(steps),
                          WordPiece(Vocabulary(entries, "test", ""), 0, "##", 100));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto utf8 = unitvec::unicode::encode(texts[i]);
        Pieces fast, slow;
        Ids ids, slow_ids;
        model.append_pieces(utf8, fast);
        model.append_normalized(model.normalize(utf8), slow);
        unitvec::IdSink sink(ids, SIZE_MAX, unitvec::TruncationSide::right);
        model.append_ids(utf8, sink);
        CHECK(sink.finish() == ids.size());
        for (const auto& piece : slow.tokens) slow_ids.push_back(piece.id);
        INFO("text " << i);
        CHECK(std::equal(fast.tokens.begin(), fast.tokens.end(), slow.tokens.begin(),
                         slow.tokens.end(), [](const Piece& a, const Piece& b) { return a == b; }));
        CHECK(ids == slow_ids);
        CHECK(fast.position == texts[i].size());
    }
}

TEST_CASE("ids alone are those of the full encoding, and the cut is reported", "[tokenizer]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));
    const std::string text = "hello unaffable [MASK] \xFF world";
    Ids ids{99};
    CHECK(tokenizer.append_ids(text, 0, ids) == 8);
    auto expected = tokenizer.encode(text).ids;
    expected.insert(expected.begin(), 99);
    CHECK(ids == expected);

    ids.clear();
    CHECK(tokenizer.append_ids(text, 4, ids) == 8);
    CHECK(ids == tokenizer.encode(text, {}, {.max_length = 4}).ids);
    CHECK(ids.size() == 4);
    ids.clear();
    CHECK(tokenizer.append_ids("", 2, ids) == 2);
    CHECK_THROWS_WITH(tokenizer.append_ids("a", 1, ids),
                      ContainsSubstring("expected a max_length of at least 2"));
}

TEST_CASE("ids of a pair are those of the full encoding at every length", "[tokenizer]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));
    const std::string texts[] = {"", "a", "hello unaffable [MASK] world", "a b c d e a b c d e"};
    const Ids before{99};
    for (const auto& first : texts) {
        for (const auto& second : texts) {
            const auto whole = tokenizer.encode(first, second).size();
            for (std::size_t max_length = 0; max_length <= whole + 1; ++max_length) {
                if (max_length == 1 || max_length == 2) continue;  // no room for [CLS] [SEP] [SEP]
                Ids ids = before, types = before;
                CHECK(tokenizer.append_ids({first, second}, max_length, ids, types) == whole);
                const auto e = tokenizer.encode(first, second, {.max_length = max_length});
                CHECK(std::equal(ids.begin() + 1, ids.end(), e.ids.begin(), e.ids.end()));
                CHECK(std::equal(types.begin() + 1, types.end(), e.type_ids.begin(),
                                 e.type_ids.end()));
            }
        }
        Ids pair, single, types;
        CHECK(tokenizer.append_ids({first, {}}, 3, pair, types) ==
              tokenizer.append_ids(first, 3, single));
        CHECK(pair == single);
        CHECK(types == Ids(single.size(), 0));
    }
    Ids ids, types;
    CHECK_THROWS_WITH(tokenizer.append_ids({"a", "b"}, 2, ids, types),
                      ContainsSubstring("expected a max_length of at least 3"));
    CHECK(ids.empty());
}

TEST_CASE("truncation stored in the file is not obeyed", "[tokenizer]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));  // its file says 4
    CHECK(tokenizer.encode("a b c d e").size() == 7);
}

TEST_CASE("windows cover all tokens and share the stride", "[tokenizer]") {
    CHECK(unitvec::windows(5, 5, 0, TruncationSide::right) == std::vector<Window>{{0, 5}});
    CHECK(unitvec::windows(7, 3, 1, TruncationSide::right) ==
          std::vector<Window>{{0, 3}, {2, 5}, {4, 7}});
    CHECK(unitvec::windows(7, 3, 1, TruncationSide::left) ==
          std::vector<Window>{{4, 7}, {2, 5}, {0, 3}});
    CHECK(unitvec::windows(2, 0, 0, TruncationSide::right) == std::vector<Window>{{0, 0}, {0, 2}});
    CHECK_THROWS_AS(unitvec::windows(7, 3, 3, TruncationSide::right), std::invalid_argument);

    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));
    const auto e = tokenizer.encode("a b c d e", {}, {.max_length = 4});
    REQUIRE(e.overflowing.size() == 2);
    CHECK(tiny::tokens_of(tokenizer, e.overflowing[1]) == Strings{"[CLS]", "e", "[SEP]"});
}

TEST_CASE("each strategy cuts the text that it names", "[tokenizer]") {
    using Lengths = std::pair<std::size_t, std::size_t>;
    const auto kept = unitvec::kept_lengths;
    CHECK(kept(3, 4, true, 7, TruncationStrategy::longest_first) == Lengths{3, 4});
    CHECK(kept(3, 9, true, 7, TruncationStrategy::longest_first) == Lengths{3, 4});
    CHECK(kept(9, 3, true, 7, TruncationStrategy::longest_first) == Lengths{4, 3});
    CHECK(kept(9, 8, true, 7, TruncationStrategy::longest_first) == Lengths{4, 3});
    CHECK(kept(5, 4, true, 7, TruncationStrategy::only_first) == Lengths{3, 4});
    CHECK(kept(5, 4, true, 7, TruncationStrategy::only_second) == Lengths{5, 2});
    CHECK(kept(9, 0, false, 7, TruncationStrategy::only_first) == Lengths{7, 0});
    CHECK_THROWS_AS(kept(2, 9, true, 7, TruncationStrategy::only_first), std::invalid_argument);
    CHECK_THROWS_AS(kept(9, 0, false, 7, TruncationStrategy::only_second), std::invalid_argument);
}

TEST_CASE("added tokens are found as their settings say", "[tokenizer]") {
    auto json = tiny::tokenizer_json(kTokens);
    const auto add = [&json](const char* content, const char* setting, bool normalized) {
        const auto id = 20 + json["added_tokens"].size() - 5;
        json["added_tokens"].push_back({{"id", id},
                                        {"content", content},
                                        {"special", false},
                                        {"normalized", normalized},
                                        {setting, true}});
    };
    add("<l>", "lstrip", false);
    add("<r>", "rstrip", false);
    add("alone", "single_word", false);
    add("Folded", "unused", true);
    const auto tokenizer = tiny::load(json);
    const auto tokens = [&](std::string_view text) {
        return tiny::tokens_of(tokenizer,
                               tokenizer.encode(text, {}, {.add_special_tokens = false}));
    };
    CHECK(tokens("a  <l> b") == Strings{"a", "<l>", "b"});
    CHECK(tokenizer.encode("a  <l> b").offsets[2] == Offset{1, 6});
    CHECK(tokenizer.encode("a <r>  b").offsets[2] == Offset{2, 7});
    CHECK(tokens("a[SEP]b") == Strings{"a", "[SEP]", "b"});
    CHECK(tokens("alone, aalone") == Strings{"alone", ",", "[UNK]"});
    CHECK(tokens("F\u00F6LDEDa") == Strings{"Folded", "a"});
    Ids ids;
    tokenizer.append_ids("a <l>F\u00F6LDED b", 0, ids);
    CHECK(ids == tokenizer.encode("a <l>F\u00F6LDED b").ids);
}

TEST_CASE("the start is cut off where the files say so", "[tokenizer]") {
    using Pair = unitvec::TextPair;
    auto json = tiny::tokenizer_json({"a", "b", "c", "d"});
    const auto [stored, stated, left] = GENERATE(table<std::string, std::string, bool>(
        {{"", "", false}, {"Left", "", true}, {"Left", "right", false}, {"Right", "left", true}}));
    INFO(stored << " in tokenizer.json, " << stated << " in tokenizer_config.json");
    if (!stored.empty()) json["truncation"]["direction"] = stored;
    const TemporaryFolder folder;
    [[maybe_unused]] const auto file = folder.write("tokenizer.json", json.dump());
    if (!stated.empty()) {
        [[maybe_unused]] const auto config =
            folder.write("tokenizer_config.json", R"({"truncation_side": ")" + stated + "\"}");
    }
    const auto tokenizer = Tokenizer::from_directory(folder.path());
    CHECK((tokenizer.truncation_side() == TruncationSide::left) == left);
    Ids ids{99}, types{9};  // what is there already stays
    CHECK(tokenizer.append_ids("a b c d", 4, ids) == 6);
    CHECK(ids == (left ? Ids{99, 2, 7, 8, 3} : Ids{99, 2, 5, 6, 3}));
    CHECK(tokenizer.encode("a b c d", {}, {.max_length = 4}).ids ==
          Ids(ids.begin() + 1, ids.end()));
    ids = {99};
    CHECK(tokenizer.append_ids(Pair{"a b c d", "d c b"}, 6, ids, types) == 10);
    CHECK(ids == (left ? Ids{99, 2, 7, 8, 3, 6, 3} : Ids{99, 2, 5, 6, 3, 8, 3}));
    CHECK(types == Ids{9, 0, 0, 0, 0, 1, 1});
    const auto other = left ? TruncationSide::right : TruncationSide::left;
    CHECK(tokenizer.encode("a b c d", {}, {.max_length = 3, .side = other}).ids ==
          (left ? Ids{2, 5, 3} : Ids{2, 8, 3}));
}

TEST_CASE("a long text keeps its first or last ids, and every one is counted", "[tokenizer]") {
    const bool left = GENERATE(false, true);
    auto json = tiny::tokenizer_json({"a", "b", "c", "d"});
    if (left) json["truncation"]["direction"] = "Left";
    const auto tokenizer = tiny::load(json);
    constexpr std::size_t kWords = 200'000;  // more than are held beside those that are wanted
    std::string text = "a b c ";
    for (std::size_t i = 6; i < kWords; ++i) text += "d ";
    text += "c b a";
    Ids whole;
    CHECK(tokenizer.append_ids(text, 0, whole) == kWords + 2);
    CHECK(whole.size() == kWords + 2);
    for (const std::size_t most : {std::size_t{2}, std::size_t{5}, std::size_t{100'000}}) {
        Ids ids{99}, expected{99, whole.front()};
        CHECK(tokenizer.append_ids(text, most, ids) == kWords + 2);
        const auto first =
            left ? whole.end() - 1 - static_cast<std::ptrdiff_t>(most - 2) : whole.begin() + 1;
        expected.insert(expected.end(), first, first + static_cast<std::ptrdiff_t>(most - 2));
        expected.push_back(whole.back());
        CHECK(ids == expected);
    }
    Ids ids, types;
    CHECK(tokenizer.append_ids(unitvec::TextPair{text, text}, 9, ids, types) == 2 * kWords + 3);
    CHECK(ids == (left ? Ids{2, 7, 6, 5, 3, 7, 6, 5, 3} : Ids{2, 5, 6, 7, 3, 5, 6, 7, 3}));
}

TEST_CASE("decode joins pieces and drops special tokens", "[tokenizer]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));
    const auto ids = tokenizer.encode("hello, unaffable world!").ids;
    CHECK(tokenizer.decode(ids) == "hello, unaffable world!");
    CHECK(tokenizer.decode(ids, false) == "[CLS] hello, unaffable world! [SEP]");
    CHECK(tokenizer.decode(ids, true, false) == "hello , unaffable world !");
    CHECK_THROWS_AS(tokenizer.decode(Ids{1000}), std::out_of_range);
}

TEST_CASE("a batch gives the same on any number of threads", "[tokenizer]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));
    std::vector<unitvec::TextPair> texts;
    for (int i = 0; i < 100; ++i) texts.push_back({i % 2 == 0 ? "hello world" : "a b c", {}});
    texts.push_back({"a", "b"});
    const auto one = tokenizer.encode_batch(texts, {}, 1);
    const auto three = tokenizer.encode_batch(texts, {}, 3);
    REQUIRE(one.size() == texts.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
        CHECK(one[i].ids == three[i].ids);
        CHECK(one[i].ids == tokenizer.encode(texts[i].first, texts[i].second).ids);
    }
}

TEST_CASE("padding makes rows of one length", "[tokenizer]") {
    const auto tokenizer = tiny::load(tiny::tokenizer_json(kTokens));
    const auto a = tokenizer.encode("a"), b = tokenizer.encode("a b c");
    const std::vector<const unitvec::Encoding*> rows{&a, &b};
    const auto right = unitvec::pad(rows, {.multiple_of = 4, .pad_id = 7});
    CHECK(right.cols == 8);
    CHECK(right.input_ids == std::vector<std::int64_t>{2, 12, 3, 7, 7, 7, 7, 7,  //
                                                       2, 12, 13, 14, 3, 7, 7, 7});
    CHECK(right.attention_mask[2] == 1);
    CHECK(right.attention_mask[3] == 0);
    const auto left = unitvec::pad(rows, {.side = TruncationSide::left});
    CHECK(left.input_ids == std::vector<std::int64_t>{0, 0, 2, 12, 3, 2, 12, 13, 14, 3});
    CHECK(left.offsets[7] == 1);
}

TEST_CASE("damaged and unsupported files are refused with file and field", "[tokenizer]") {
    const auto where = [](const nlohmann::json& json) -> std::string {
        try {
            [[maybe_unused]] const auto tokenizer = tiny::load(json);
        } catch (const FormatError& e) {
            CHECK_THAT(e.file(), ContainsSubstring("tokenizer.json"));
            return e.where();
        }
        return "no error";
    };
    const auto with = [](const char* pointer, const nlohmann::json& value) {
        auto json = tiny::tokenizer_json(kTokens);
        json[nlohmann::json::json_pointer(pointer)] = value;
        return json;
    };
    CHECK(where(tiny::tokenizer_json(kTokens)) == "no error");
    CHECK(where(with("/model/type", "Unigram")) == "model.type");
    CHECK(where(with("/model/unk_token", "nowhere")) == "model.unk_token");
    CHECK(where(with("/truncation/direction", "left")) == "truncation.direction");
    CHECK(where(with("/truncation", 4)) == "truncation");
    CHECK(where(with("/model/vocab/hello", 500)) == "model.vocab");
    CHECK(where(with("/model/vocab/hello", 6)) == "model.vocab");
    CHECK(where(with("/model/vocab/hello", 1.5)) == "model.vocab");
    CHECK(where(with("/model/vocab", 1)) == "model.vocab");
    CHECK(where(with("/normalizer/type", "Precompiled")) == "normalizer.type");
    CHECK(where(with("/pre_tokenizer/type", "Metaspace")) == "pre_tokenizer.type");
    CHECK(where(with("/post_processor/type", "Odd")) == "post_processor.type");
    CHECK(where(with("/post_processor/cls/1", 99)) == "post_processor.cls[1]");
    CHECK(where(with("/decoder/type", "Odd")) == "decoder.type");
    CHECK(where(with("/added_tokens/0/id", 3)) == "added_tokens");
    CHECK(where(with("/added_tokens/0/content", "")) == "added_tokens[0].content");
}

TEST_CASE("vocab.txt is read with the settings beside it", "[tokenizer]") {
    const TemporaryFolder folder;
    [[maybe_unused]] auto path =
        folder.write("vocab.txt", "[PAD]\r\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nHello\n");
    CHECK(Tokenizer::from_directory(folder.path()).encode("Hello").ids == Ids{2, 5, 3});
    path = folder.write("tokenizer_config.json", R"({"do_lower_case": false})");
    const auto cased = Tokenizer::from_directory(folder.path());
    CHECK(cased.encode("Hello [MASK]").ids == Ids{2, 6, 4, 3});
    CHECK(cased.mask_id() == 4);
    CHECK(cased.pad_id() == 0);

    path = folder.write("vocab.txt", "[PAD]\n[CLS]\n[SEP]\n");
    CHECK_THROWS_WITH(Tokenizer::from_directory(folder.path()),
                      ContainsSubstring("expected the token \"[UNK]\""));
    path = folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n");
    CHECK_THROWS_WITH(Tokenizer::from_directory(folder.path()),
                      ContainsSubstring("every token once"));
    path = folder.write("vocab.txt", "[PAD]\n[UNK]\n\xFF\n");
    CHECK_THROWS_WITH(Tokenizer::from_directory(folder.path()), ContainsSubstring("line 3"));
    path = folder.write("tokenizer_config.json", R"({"tokenizer_class": "T5Tokenizer"})");
    CHECK_THROWS_WITH(Tokenizer::from_directory(folder.path()),
                      ContainsSubstring("tokenizer_class"));
    const TemporaryFolder empty;
    CHECK_THROWS_WITH(Tokenizer::from_directory(empty.path()), ContainsSubstring("got none"));
}
