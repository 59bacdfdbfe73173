#include "report/layout_mtr_fields.h"

#include "base/clock.h"

struct field {
	char letter;
	const char *title;
	int width;
	bool real; /* as opposed to a count */
};

static const struct field fields[] = {
	{' ', " ", 1, false},
	{'L', "Loss%", 6, true},
	{'D', "Drop", 5, false},
	{'R', "Rcv", 6, false},
	{'S', "Snt", 6, false},
	{'N', "Last", 6, true},
	{'B', "Best", 6, true},
	{'A', "Avg", 6, true},
	{'W', "Wrst", 6, true},
	{'V', "StDev", 6, true},
	{'G', "Gmean", 6, true},
	{'J', "Jttr", 5, true},
	{'M', "Javg", 5, true},
	{'X', "Jmax", 5, true},
	{'I', "Jint", 5, true},
};

static const struct field *field_of(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].letter == letter)
			return &fields[i];
	return &fields[0];
}

char mtr_unknown_field(const char *letters)
{
	for (; *letters; letters++)
		if (field_of(*letters)->letter != *letters)
			return *letters;
	return 0;
}

const char *mtr_field_title(char letter)
{
	return field_of(letter)->title;
}

int mtr_field_width(char letter)
{
	return field_of(letter)->width;
}

bool mtr_field_is_real(char letter)
{
	return field_of(letter)->real;
}

static unsigned lost(const struct mtr_row *row)
{
	return row->sent - MIN(row->series.received, row->sent);
}

double mtr_field_value(char letter, const struct mtr_row *row)
{
	const struct series *series = &row->series;
	bool some = series->received > 0;
	switch (letter) {
	case 'L': return row->sent ? 100.0 * lost(row) / row->sent : 0;
	case ' ':
	case 'D': return lost(row);
	case 'R': return series->received;
	case 'S': return row->sent;
	case 'N': return some ? ns_to_ms(series->last_ns) : 0;
	case 'B': return some ? ns_to_ms(series->best_ns) : 0;
	case 'A': return some ? series->mean_ns / (double)NS_PER_MS : 0;
	case 'W': return some ? ns_to_ms(series->worst_ns) : 0;
	case 'V': return series_deviation_ns(series) / (double)NS_PER_MS;
	case 'G': return series_geometric_mean_ns(series) / (double)NS_PER_MS;
	case 'J': return some ? ns_to_ms(series->jitter_ns) : 0;
	case 'M': return series_jitter_mean_ns(series) / (double)NS_PER_MS;
	case 'X': return some ? ns_to_ms(series->jitter_worst_ns) : 0;
	case 'I': return series->interarrival_ns / (double)NS_PER_MS;
	default: return 0;
	}
}

static void write_real(const struct field *field, double value, char *text, size_t size)
{
	if (field->letter == 'L')
		snprintf(text, size, " %4.1f%%", value);
	else
		snprintf(text, size, " %*.1f", field->width - 1, value);
}

const char *mtr_field_text(char letter, const struct mtr_row *row, char *text, size_t size)
{
	const struct field *field = field_of(letter);
	if (letter == ' ')
		snprintf(text, size, " ");
	else if (field->real)
		write_real(field, mtr_field_value(letter, row), text, size);
	else
		snprintf(text, size, "%*.0f", field->width, mtr_field_value(letter, row));
	return text;
}

const char *mtr_field_column(char letter, const struct mtr_row *row, char *text, size_t size)
{
	size_t column = (size_t)field_of(letter)->width + 1;
	return mtr_field_text(letter, row, text, MIN(size, letter == 'L' ? column : size));
}

const char *mtr_field_number(char letter, const struct mtr_row *row, char *text, size_t size)
{
	snprintf(text, size, "%.*f", mtr_field_is_real(letter) ? 2 : 0, mtr_field_value(letter, row));
	return text;
}
