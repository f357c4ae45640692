/*-------------------------------------------------------------------------
 *
 * unit.h
 *	  What the unit tests share: TAP output and a random generator.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_H
#define UNIT_H

#include "figures/figures.h"
#include "shape/shape.h"

/* one line of TAP; the answer is passed */
extern bool check(bool passed, const char *name,...) pg_attribute_printf(2, 3);

/* more about a failure */
extern void diag(const char *format,...) pg_attribute_printf(1, 2);

/* the same sequence in every run */
extern uint64 random_bits(void);
extern int	random_below(int n);
extern double random_share(void);	/* 0 <= x < 1 */

extern void test_histogram(void);
extern void test_ratio(void);
extern void test_shape(void);
extern int	measure_shape(const char *sql);

#endif							/* UNIT_H */
