SET client_min_messages = warning;
-- whatever all sessions do
SET missing_symbol.profile = 'off';
SET missing_symbol.slow_threshold = -1;
SELECT missing_symbol.profile_reset();
