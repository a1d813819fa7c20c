/** What benches ask if they are given no prompts. */
export const questions = [
  'Why is the sky blue?',
  'How do vaccines work?',
  'What makes bread rise, and why does it sometimes collapse?',
  'Explain how a bicycle stays upright.',
  'Why do the seasons differ between the hemispheres?',
  'What is inflation, and who gains from it?',
  'How does a refrigerator keep food cold?',
  'What should a beginner know before planting tomatoes?',
]
