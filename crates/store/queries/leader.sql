select epoch, scaler, since, heard_until > clock_timestamp() as heard, trouble, trouble_since from codeteam.leader
