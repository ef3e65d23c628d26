#include "word_class.hpp"

#include "byte_table.hpp"

namespace unitvec {

WordClass word_class(char32_t code) {
    static const unicode::ByteTable table(word_class_ranges(), &WordClassRange::value);
    return static_cast<WordClass>(table[code]);
}

}  // namespace unitvec
