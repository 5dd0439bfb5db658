"""What is published: facts in our own words, searched before anything is drafted."""
