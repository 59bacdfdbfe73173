/* Label stacks as text: keys and numbers, whatever stands between them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "import/lex.h"

enum label_key { KEY_NONE, KEY_LABEL, KEY_CLASS, KEY_BOTTOM, KEY_TTL };

static enum label_key key_of(const char *text, size_t length)
{
	static const struct {
		const char *word;
		enum label_key key;
	} keys[] = {{"L", KEY_LABEL}, {"Lbl", KEY_LABEL}, {"Label", KEY_LABEL}, {"Labels", KEY_LABEL},
		{"E", KEY_CLASS}, {"Exp", KEY_CLASS}, {"TC", KEY_CLASS}, {"CoS", KEY_CLASS},
		{"S", KEY_BOTTOM}, {"T", KEY_TTL}, {"TTL", KEY_TTL}};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strlen(keys[i].word) == length && strncasecmp(keys[i].word, text, length) == 0)
			return keys[i].key;
	return KEY_NONE;
}

struct stack {
	struct mpls_entry *labels;
	uint8_t count;
	uint8_t group; /* first of the labels that were listed together: what follows holds for all of them */
	enum label_key last;
	bool bottom_said;
};

static void put(struct stack *stack, enum label_key key, uint32_t value)
{
	if (key == KEY_LABEL && stack->count < MPLS_STACK_MAX && value < 1u << 20) {
		if (stack->last != KEY_LABEL)
			stack->group = stack->count;
		stack->labels[stack->count++] = (struct mpls_entry){.label = value};
	}
	for (uint8_t i = stack->group; i < stack->count && i < MPLS_STACK_MAX; i++) {
		if (key == KEY_CLASS)
			stack->labels[i].traffic_class = value & 7;
		else if (key == KEY_BOTTOM)
			stack->labels[i].bottom = value != 0;
		else if (key == KEY_TTL)
			stack->labels[i].ttl = (uint8_t)MIN(value, 255);
	}
	stack->bottom_said |= key == KEY_BOTTOM;
	stack->last = key;
}

uint8_t lex_labels(const char *text, size_t length, struct mpls_entry labels[static MPLS_STACK_MAX])
{
	struct stack stack = {.labels = labels};
	enum label_key key = KEY_NONE;
	for (size_t i = 0; i < length;) {
		size_t start = i;
		if (isalpha((unsigned char)text[i])) {
			while (i < length && isalpha((unsigned char)text[i]))
				i++;
			key = key_of(text + start, i - start);
		} else if (isdigit((unsigned char)text[i])) {
			uint32_t value = 0;
			for (; i < length && isdigit((unsigned char)text[i]); i++)
				value = value < 100000000 ? value * 10 + (uint32_t)(text[i] - '0') : value;
			if (key != KEY_NONE)
				put(&stack, key, value);
		} else {
			i++;
		}
	}
	/* RFC 3032 2.1: the last of a stack is its bottom. */
	if (stack.count > 0 && !stack.bottom_said)
		labels[stack.count - 1].bottom = true;
	return stack.count;
}
