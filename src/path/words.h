/* The words of the document, both ways: enum value to word and word to enum value. */
#ifndef RETOUR_PATH_WORDS_H
#define RETOUR_PATH_WORDS_H

struct word_table {
	const char *const *words; /* indexed by the enum's value */
	int count;
};

extern const struct word_table direction_words;
extern const struct word_table protocol_words;
extern const struct word_table stop_reason_words;
extern const struct word_table technique_words;
extern const struct word_table certainty_words;
extern const struct word_table attempt_status_words;
extern const struct word_table severity_words;
extern const struct word_table confidence_words;
extern const struct word_table shared_by_words;
extern const struct word_table vantage_distance_words;
extern const struct word_table interface_role_words;
extern const struct word_table command_words;

/* The enum value of a word, -1 for a word that is not in the table. */
int word_value(const struct word_table *table, const char *word);
/* The word of a value, NULL for a value that is not in the table. */
const char *word_text(const struct word_table *table, int value);

#endif
