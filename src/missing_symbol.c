/*-------------------------------------------------------------------------
 *
 * missing_symbol.c
 *	  The front door: module magic, _PG_init.  Every setting stands with the
 *	  room that reads it.
 *
 * Nothing is installed at load but settings: loading the library must cost
 * a session that only counts nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "compat.h"
#include "advice/advice.h"
#include "apply/apply.h"
#include "aside/aside.h"
#include "counter/counter.h"
#include "profile/profile.h"
#include "report/report.h"
#include "slow/slow.h"
#include "tokens/tokens.h"
#include "trial/trial.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	ms_counter_init();
	ms_apply_init();
	ms_tokens_init();
	ms_aside_init();
	ms_advice_init();
	ms_slow_init();
	ms_report_init();
	ms_trial_init();
	ms_profile_init();

	MarkGUCPrefixReserved("missing_symbol");
}
