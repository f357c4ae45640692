SET client_min_messages = warning;
-- whatever all sessions do
SET missing_symbol.profile = 'off';
SELECT missing_symbol.profile_reset();
